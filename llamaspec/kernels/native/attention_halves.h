// The innermost loops of attention where a vector is two registers, of which there are 16 (AVX2): with half of the
// lanes, or the even positions only, twice as many results fit, and what was loaded serves more of them. Sums are added
// in the order of f_sum, and of attention_whole.h.
#pragma once

namespace {

// sums[r * K + k] = the lower 8 lanes of q[r] . keys[k]
template <int Q, int K>
INLINE void half_scores(const float* keys, int64_t width, const float* q, __m256* sums) {
#pragma GCC unroll 8
    for (int i = 0; i < Q * K; i++) sums[i] = _mm256_setzero_ps();
    for (int64_t at = 0; at < width; at += 16) {
        __m256 part[Q];
#pragma GCC unroll 2
        for (int r = 0; r < Q; r++) part[r] = _mm256_loadu_ps(q + r * width + at);
#pragma GCC unroll 8
        for (int k = 0; k < K; k++) {
            __m256 key = _mm256_loadu_ps(keys + k * width + at);
#pragma GCC unroll 2
            for (int r = 0; r < Q; r++) sums[r * K + k] = _mm256_fmadd_ps(part[r], key, sums[r * K + k]);
        }
    }
}

// The sums of x[i] and x[i + 4] over 4 lanes each of two halves.
INLINE __m256 quarter_sums(const __m256* x, int i) {
    return _mm256_add_ps(_mm256_permute2f128_ps(x[i], x[i + 4], 0x20), _mm256_permute2f128_ps(x[i], x[i + 4], 0x31));
}

INLINE __m256 sums_of_8(const __m256* x) {
    __m256 a = quarter_sums(x, 0), b = quarter_sums(x, 1), c = quarter_sums(x, 2), d = quarter_sums(x, 3);
    __m256 ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    __m256 cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    return _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
}

// scores[r * 64 + k] = q[r] . keys[k] for Q queries and K keys
template <int Q, int K>
INLINE void score_tile(const float* keys, int64_t width, const float* q, float* scores) {
    static_assert(Q * K == 8, "eight sums");
    __m256 lower[8], sums[8];
    half_scores<Q, K>(keys, width, q, lower);
    half_scores<Q, K>(keys + 8, width, q + 8, sums);
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) sums[i] = _mm256_add_ps(lower[i], sums[i]);
    __m256 all = sums_of_8(sums);
    if (Q == 1) return _mm256_storeu_ps(scores, all);
    _mm_storeu_ps(scores, _mm256_castps256_ps128(all));
    _mm_storeu_ps(scores + KV_BLOCK, _mm256_extractf128_ps(all, 1));
}

// For each of Q queries: sums[odd] = kept * sums[odd] + the weighted values of even and odd positions, N vectors of
// width at a time. step: from value to value; width: of a query's sums.
template <int Q, int N>
INLINE void accumulate_part(const float* values, int64_t step, const float* weights, int low, int high,
                            const float* kept, float* sums, int64_t width) {
#define EACH                      \
    _Pragma("GCC unroll 4")       \
    for (int r = 0; r < Q; r++)   \
        _Pragma("GCC unroll 4")   \
        for (int j = 0; j < N; j++)
    for (int odd = 0; odd < 2; odd++) {
        F part[Q][N];
        float* to = sums + odd * width;
        EACH part[r][j] = f_mul(f_load(to + 2 * r * width + 16 * j), f_set(kept[r]));
#pragma GCC unroll 2
        for (int i = low + ((low ^ odd) & 1); i < high; i += 2)
            EACH part[r][j] = f_fma(f_load(values + i * step + 16 * j), f_set(weights[r * KV_BLOCK + i]), part[r][j]);
        EACH f_store(to + 2 * r * width + 16 * j, part[r][j]);
    }
#undef EACH
}

}  // namespace
