// Rotary positions of one row: the first 2 * half values of every head turn by the row's angles, the rest is copied.
#pragma once

namespace {

void rotate_row(const float* x, float* y, int64_t heads, int64_t width, const float* cos, const float* sin,
                int64_t half, int interleaved) {
    for (int64_t head = 0; head < heads; head++, x += width, y += width) {
        if (interleaved) {  // pairs (2i, 2i + 1)
            for (int64_t i = 0; i < half; i++) {
                float a = x[2 * i], b = x[2 * i + 1];
                y[2 * i] = a * cos[i] - b * sin[i];
                y[2 * i + 1] = a * sin[i] + b * cos[i];
            }
        } else {  // pairs (i, i + half)
            for (int64_t i = 0; i < half; i++) {
                float a = x[i], b = x[half + i];
                y[i] = a * cos[i] - b * sin[i];
                y[half + i] = a * sin[i] + b * cos[i];
            }
        }
        if (y != x)
            for (int64_t i = 2 * half; i < width; i++) y[i] = x[i];
    }
}

}  // namespace
