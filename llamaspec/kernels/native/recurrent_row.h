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

// N vectors of columns: d = (v - S^T (decay k)) beta, or v beta; S = decay S + k d^T, y = S^T q scale; sums in the order
// of S's rows. STEP 1: a decay for each row of S.
template <int N, int STEP>
INLINE void delta_columns(const DeltaStep& how, const float* from, float* state, const float* q, const float* k,
                          const float* v, float beta, const float* decay, float* y) {
    int64_t size = how.size, width = how.value_size;
    F sum[N], d[N];
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) sum[n] = f_set(0);
    for (int64_t i = 0; i < size && how.corrected; i++) {
        F key = f_set(STEP ? k[i] * decay[i] : k[i]);
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) sum[n] = f_fma(key, f_load(from + i * width + 16 * n), sum[n]);
    }
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) {
        F past = STEP ? sum[n] : f_mul(f_set(decay[0]), sum[n]);
        d[n] = f_mul(f_sub(f_load(v + 16 * n), past), f_set(beta));
        sum[n] = f_set(0);
    }
    for (int64_t i = 0; i < size; i++)
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) {
            F kept = f_mul(f_load(from + i * width + 16 * n), f_set(decay[i * STEP]));
            F now = f_fma(f_set(k[i]), d[n], kept);
            f_store(state + i * width + 16 * n, now);
            if (y) sum[n] = f_fma(f_set(q[i]), now, sum[n]);
        }
    if (y)
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) f_store(y + 16 * n, f_mul(sum[n], f_set(how.scale)));
}

template <int STEP>
void delta_column(const DeltaStep& how, const float* from, float* state, const float* q, const float* k, float v,
                  float beta, const float* decay, float* y) {
    int64_t size = how.size, width = how.value_size;
    float sum = 0;
    for (int64_t i = 0; i < size && how.corrected; i++) sum += (STEP ? k[i] * decay[i] : k[i]) * from[i * width];
    float d = (v - (STEP ? sum : decay[0] * sum)) * beta;
    sum = 0;
    for (int64_t i = 0; i < size; i++) {
        state[i * width] = from[i * width] * decay[i * STEP] + k[i] * d;
        if (y) sum += q[i] * state[i * width];
    }
    if (y) *y = sum * how.scale;
}

template <int STEP>
INLINE void delta_all(const DeltaStep& how, const float* from, float* state, const float* q, const float* k,
                      const float* v, float beta, const float* decay, float* y) {
    int64_t j = 0, width = how.value_size;
    for (; j + 64 <= width; j += 64)
        delta_columns<4, STEP>(how, from + j, state + j, q, k, v + j, beta, decay, y ? y + j : nullptr);
    for (; j + 16 <= width; j += 16)
        delta_columns<1, STEP>(how, from + j, state + j, q, k, v + j, beta, decay, y ? y + j : nullptr);
    for (; j < width; j++)
        delta_column<STEP>(how, from + j, state + j, q, k, v[j], beta, decay, y ? y + j : nullptr);
}

// from and state [size, value_size]: row = component of k; they may be one
void delta_run(const DeltaStep& how, const float* from, float* state, const float* q, const float* k, const float* v,
               float beta, const float* decay, float* y) {
    if (how.by_channel)
        delta_all<1>(how, from, state, q, k, v, beta, decay, y);
    else
        delta_all<0>(how, from, state, q, k, v, beta, decay, y);
}

}  // namespace
