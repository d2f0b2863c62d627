// Rotary positions of one row: 2 * half values of every head, from `offset` on, turn by the row's angles; the rest is
// copied. y may be x.
#pragma once

namespace {

void rotate_row(const float* x, float* y, int64_t heads, int64_t width, int64_t offset, const float* cos,
                const float* sin, int64_t half, int interleaved) {
    for (int64_t head = 0; head < heads; head++, x += width, y += width) {
        const float* from = x + offset;
        float* to = y + offset;
        if (interleaved) {  // pairs (2i, 2i + 1)
            for (int64_t i = 0; i < half; i++) {
                float a = from[2 * i], b = from[2 * i + 1];
                to[2 * i] = a * cos[i] - b * sin[i];
                to[2 * i + 1] = a * sin[i] + b * cos[i];
            }
        } else {  // pairs (i, i + half)
            for (int64_t i = 0; i < half; i++) {
                float a = from[i], b = from[half + i];
                to[i] = a * cos[i] - b * sin[i];
                to[half + i] = a * sin[i] + b * cos[i];
            }
        }
        if (y == x) continue;
        for (int64_t i = 0; i < offset; i++) y[i] = x[i];
        for (int64_t i = offset + 2 * half; i < width; i++) y[i] = x[i];
    }
}

}  // namespace
