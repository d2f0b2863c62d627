// RMS norm of one row: y = x / sqrt(mean(x^2) + eps) * weight, 64 partial sums added in one order.
#pragma once

namespace {

void rms_norm_row(const float* x, const float* weight, float* y, int64_t width, float eps) {
    F sums[4] = {f_set(0), f_set(0), f_set(0), f_set(0)};
    int64_t i = 0;
    for (; i + 64 <= width; i += 64)
        for (int j = 0; j < 4; j++) {
            F v = f_load(x + i + 16 * j);
            sums[j] = f_fma(v, v, sums[j]);
        }
    for (; i + 16 <= width; i += 16) {
        F v = f_load(x + i);
        sums[0] = f_fma(v, v, sums[0]);
    }
    float total = f_sum(f_add(f_add(sums[0], sums[1]), f_add(sums[2], sums[3])));
    for (; i < width; i++) total += x[i] * x[i];
    float factor = 1.0f / sqrtf(total / (float)width + eps);
    F factors = f_set(factor);
    for (i = 0; i + 16 <= width; i += 16) {
        F v = f_mul(f_load(x + i), factors);
        f_store(y + i, weight ? f_mul(v, f_load(weight + i)) : v);
    }
    for (; i < width; i++) y[i] = weight ? x[i] * factor * weight[i] : x[i] * factor;
}

}  // namespace
