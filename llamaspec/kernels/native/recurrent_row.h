// What recurrent layers compute for one row: a causal convolution per channel, a step of the gated delta rule.
#pragma once
#include "gate_row.h"

namespace {

// Channels [from, from + n). inputs: `kernel` rows of all channels, the oldest first; null: zeros.
void convolve_run(const float* const* inputs, const float* weight, const float* bias, float* y, int64_t from,
                  int64_t n, int64_t kernel) {
    each_vector(n, y, [&](int64_t i, int count) INLINE_LAMBDA {
        int64_t at = from + i;
        F sum = bias ? f_load_some(bias + at, count) : f_set(0);
        for (int64_t j = 0; j < kernel; j++) {
            if (!inputs[j]) continue;
            float column[16] = {0};
            for (int c = 0; c < count; c++) column[c] = weight[(at + c) * kernel + j];
            sum = f_fma(f_load_some(inputs[j] + at, count), f_load(column), sum);
        }
        return sum;
    });
}

// N vectors of columns: d = (v - decay S^T k) beta, S = decay S + k d^T, y = S^T q scale; sums in the order of S's rows
template <int N>
INLINE void delta_columns(const float* from, float* state, int64_t size, const float* q, const float* k,
                          const float* v, float beta, float decay, float scale, float* y) {
    F sum[N], d[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) sum[n] = f_set(0);
    for (int64_t i = 0; i < size; i++)
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) sum[n] = f_fma(f_set(k[i]), f_load(from + i * size + 16 * n), sum[n]);
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) {
        d[n] = f_mul(f_sub(f_load(v + 16 * n), f_mul(f_set(decay), sum[n])), f_set(beta));
        sum[n] = f_set(0);
    }
    for (int64_t i = 0; i < size; i++)
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) {
            F kept = f_mul(f_load(from + i * size + 16 * n), f_set(decay));
            F now = f_fma(f_set(k[i]), d[n], kept);
            f_store(state + i * size + 16 * n, now);
            if (y) sum[n] = f_fma(f_set(q[i]), now, sum[n]);
        }
    if (y)
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) f_store(y + 16 * n, f_mul(sum[n], f_set(scale)));
}

void delta_column(const float* from, float* state, int64_t size, const float* q, const float* k, float v, float beta,
                  float decay, float scale, float* y) {
    float sum = 0;
    for (int64_t i = 0; i < size; i++) sum += k[i] * from[i * size];
    float d = (v - decay * sum) * beta;
    sum = 0;
    for (int64_t i = 0; i < size; i++) {
        state[i * size] = from[i * size] * decay + k[i] * d;
        if (y) sum += q[i] * state[i * size];
    }
    if (y) *y = sum * scale;
}

// from and state [size, size]: row = component of k; they may be one
void delta_run(const float* from, float* state, int64_t size, const float* q, const float* k, const float* v,
               float beta, float decay, float scale, float* y) {
    int64_t j = 0;
    for (; j + 64 <= size; j += 64)
        delta_columns<4>(from + j, state + j, size, q, k, v + j, beta, decay, scale, y ? y + j : nullptr);
    for (; j + 16 <= size; j += 16)
        delta_columns<1>(from + j, state + j, size, q, k, v + j, beta, decay, scale, y ? y + j : nullptr);
    for (; j < size; j++)
        delta_column(from + j, state + j, size, q, k, v[j], beta, decay, scale, y ? y + j : nullptr);
}

}  // namespace
