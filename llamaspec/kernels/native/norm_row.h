// Norms of one row: 64 partial sums added in one order.
#pragma once
#include "tape.h"

namespace {

// sum of x - shift, or of its squares
template <bool SQUARES>
INLINE float sum_row(const float* x, int64_t width, float shift) {
    F sums[4] = {f_set(0), f_set(0), f_set(0), f_set(0)};
    auto add = [&](F v, int j) INLINE_LAMBDA {
        v = f_sub(v, f_set(shift));
        sums[j] = SQUARES ? f_fma(v, v, sums[j]) : f_add(v, sums[j]);
    };
    int64_t i = 0;
    for (; i + 64 <= width; i += 64)
        for (int j = 0; j < 4; j++) add(f_load(x + i + 16 * j), j);
    for (; i + 16 <= width; i += 16) add(f_load(x + i), 0);
    float total = f_sum(f_add(f_add(sums[0], sums[1]), f_add(sums[2], sums[3])));
    for (; i < width; i++) total += SQUARES ? (x[i] - shift) * (x[i] - shift) : x[i] - shift;
    return total;
}

// y = (x - shift) * factor * weight + bias
void normalize_row(const float* x, const float* weight, const float* bias, float* y, int64_t width, float shift,
                   float factor) {
    F factors = f_set(factor), shifts = f_set(shift);
    int64_t i = 0;
    for (; i + 16 <= width; i += 16) {
        F v = f_mul(f_sub(f_load(x + i), shifts), factors);
        if (weight) v = f_mul(v, f_load(weight + i));
        f_store(y + i, bias ? f_add(v, f_load(bias + i)) : v);
    }
    for (; i < width; i++) {
        float v = (x[i] - shift) * factor;
        if (weight) v *= weight[i];
        y[i] = bias ? v + bias[i] : v;
    }
}

// RMS: x / sqrt(mean(x^2) + eps). Layer: the same of x - mean(x). L2: x / sqrt(sum(x^2) + eps).
void norm_row(int kind, const float* x, const float* weight, const float* bias, float* y, int64_t width, float eps) {
    float mean = kind == NORM_LAYER ? sum_row<false>(x, width, 0) / (float)width : 0.0f;
    float squares = sum_row<true>(x, width, mean);
    if (kind != NORM_L2) squares /= (float)width;
    normalize_row(x, weight, bias, y, width, mean, 1.0f / sqrtf(squares + eps));
}

}  // namespace
