// The innermost loops of attention where there are registers for whole vectors of sums.
#pragma once

namespace {

// scores[r * 64 + i] = q[r] . keys[i] for Q queries and K keys: a key that was loaded serves all of them
template <int Q, int K>
INLINE void score_tile(const float* keys, int64_t width, const float* q, float* scores) {
    F sums[Q * K];
#pragma GCC unroll 16
    for (int i = 0; i < Q * K; i++) sums[i] = f_set(0);
    for (int64_t at = 0; at < width; at += 16) {
        F key[K];
#pragma GCC unroll 16
        for (int k = 0; k < K; k++) key[k] = f_load(keys + k * width + at);
#pragma GCC unroll 16
        for (int r = 0; r < Q; r++) {
            F part = f_load(q + r * width + at);
#pragma GCC unroll 16
            for (int k = 0; k < K; k++) sums[r * K + k] = f_fma(part, key[k], sums[r * K + k]);
        }
    }
    float all[Q * K];
    f_sums<Q * K>(sums, all);
    for (int r = 0; r < Q; r++)
        for (int k = 0; k < K; k++) scores[r * KV_BLOCK + k] = all[r * K + k];
}

// For each of Q queries: sums[odd] = kept * sums[odd] + the weighted values of even and odd positions, N vectors of
// width at a time. step: from value to value; width: of a query's sums.
template <int Q, int N>
INLINE void accumulate_part(const float* values, int64_t step, const float* weights, int low, int high,
                            const float* kept, float* sums, int64_t width) {
    F even[Q][N], odd[Q][N];
#define EACH                      \
    _Pragma("GCC unroll 4")       \
    for (int r = 0; r < Q; r++)   \
        _Pragma("GCC unroll 4")   \
        for (int j = 0; j < N; j++)
    EACH {
        even[r][j] = f_mul(f_load(sums + 2 * r * width + 16 * j), f_set(kept[r]));
        odd[r][j] = f_mul(f_load(sums + (2 * r + 1) * width + 16 * j), f_set(kept[r]));
    }
    int i = low;
    if (i % 2 && i < high) {
        EACH odd[r][j] = f_fma(f_load(values + i * step + 16 * j), f_set(weights[r * KV_BLOCK + i]), odd[r][j]);
        i++;
    }
    for (; i + 2 <= high; i += 2) {
        EACH even[r][j] = f_fma(f_load(values + i * step + 16 * j), f_set(weights[r * KV_BLOCK + i]), even[r][j]);
        EACH odd[r][j] =
            f_fma(f_load(values + (i + 1) * step + 16 * j), f_set(weights[r * KV_BLOCK + i + 1]), odd[r][j]);
    }
    if (i < high)
        EACH even[r][j] = f_fma(f_load(values + i * step + 16 * j), f_set(weights[r * KV_BLOCK + i]), even[r][j]);
    EACH {
        f_store(sums + 2 * r * width + 16 * j, even[r][j]);
        f_store(sums + (2 * r + 1) * width + 16 * j, odd[r][j]);
    }
#undef EACH
}

}  // namespace
