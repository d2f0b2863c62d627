// Sixteen lanes in one AVX-512 register (F, BW, VL, DQ, VNNI); see generic.h for the meaning of each name.
#pragma once
#include <immintrin.h>

#include "../half.h"
#include "../table.h"

namespace {

constexpr int TILE_ROWS = 16;
constexpr int TOGETHER = 8;  // rows whose dot products are interleaved
constexpr int TILE_ROWS_FLOAT = 12;
constexpr int CHAINS = 2;
constexpr int SCORE_SUMS = 16, VALUE_SUMS = 16;  // of attention, in registers
constexpr bool SIGNED_BYTES = false;

typedef __m512 F;
typedef __m512i I;
typedef __m512i B;

INLINE F f_set(float a) { return _mm512_set1_ps(a); }
INLINE F f_load(const float* a) { return _mm512_loadu_ps(a); }
INLINE void f_store(float* a, F x) { _mm512_storeu_ps(a, x); }
INLINE F f_add(F a, F b) { return _mm512_add_ps(a, b); }
INLINE F f_sub(F a, F b) { return _mm512_sub_ps(a, b); }
INLINE F f_mul(F a, F b) { return _mm512_mul_ps(a, b); }
INLINE F f_div(F a, F b) { return _mm512_div_ps(a, b); }
INLINE F f_fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
INLINE F f_fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE F f_max(F a, F b) { return _mm512_max_ps(a, b); }
INLINE F f_min(F a, F b) { return _mm512_min_ps(a, b); }
INLINE F f_abs(F a) { return _mm512_abs_ps(a); }
INLINE F f_half(const void* at) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)at)); }
INLINE void f_store_half(void* at, F x) {
    _mm256_storeu_si256((__m256i*)at, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}
INLINE F of_bytes(__m128i v) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(v)); }
INLINE F f_bytes(const uint8_t* at) { return of_bytes(_mm_loadu_si128((const __m128i*)at)); }
INLINE F f_low_nibbles(const uint8_t* at) {
    return of_bytes(_mm_and_si128(_mm_loadu_si128((const __m128i*)at), _mm_set1_epi8(15)));
}
INLINE F f_high_nibbles(const uint8_t* at) {
    return of_bytes(_mm_and_si128(_mm_srli_epi16(_mm_loadu_si128((const __m128i*)at), 4), _mm_set1_epi8(15)));
}
INLINE F f_powers(const uint8_t* at) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)at)), 23));
}
INLINE F f_signed_bytes(const uint8_t* at) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i*)at)));
}
INLINE F f_bf16_even(const void* at) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(at), 16)); }
INLINE F f_bf16_odd(const void* at) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(at), _mm512_set1_epi32((int)0xffff0000)));
}
INLINE F f_scale2(F a, F n) { return _mm512_scalef_ps(a, n); }
INLINE F f_round(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE F f_clear_below(F a, F x, float bound) {
    return _mm512_mask_mov_ps(a, _mm512_cmp_ps_mask(x, _mm512_set1_ps(bound), _CMP_LT_OQ), _mm512_setzero_ps());
}
INLINE F f_select_below(F x, float bound, F below, F other) {
    return _mm512_mask_mov_ps(other, _mm512_cmp_ps_mask(x, _mm512_set1_ps(bound), _CMP_LT_OQ), below);
}
INLINE float f_sum(F a) {
    __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
INLINE F sums_of_4(F a, F b, F c, F d) {  // per 128 bits: one partial sum of each
    F ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    F cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    return _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
}
template <int N>
INLINE void f_sums(const F* a, float* to) {  // not in the order of f_sum
    static_assert(N == 16, "a whole vector of sums");
    F p = sums_of_4(a[0], a[1], a[2], a[3]), q = sums_of_4(a[4], a[5], a[6], a[7]);
    F r = sums_of_4(a[8], a[9], a[10], a[11]), s = sums_of_4(a[12], a[13], a[14], a[15]);
    F pq = _mm512_add_ps(_mm512_shuffle_f32x4(p, q, 0x44), _mm512_shuffle_f32x4(p, q, 0xee));
    F rs = _mm512_add_ps(_mm512_shuffle_f32x4(r, s, 0x44), _mm512_shuffle_f32x4(r, s, 0xee));
    f_store(to, _mm512_add_ps(_mm512_shuffle_f32x4(pq, rs, 0x88), _mm512_shuffle_f32x4(pq, rs, 0xdd)));
}
INLINE float f_peak(F a) {
    __m256 b = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_max_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}
INLINE void i8_store(int8_t* at, F whole) {
    _mm_storeu_si128((__m128i*)at, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(whole)));
}

INLINE I i_set(int32_t a) { return _mm512_set1_epi32(a); }
INLINE F i_float(I a) { return _mm512_cvtepi32_ps(a); }
INLINE I i_dot(I acc, B w, const int8_t* a) {
#if defined(__clang__)
    int32_t four;
    memcpy(&four, a, 4);
    return _mm512_dpbusd_epi32(acc, w, _mm512_set1_epi32(four));
#else  // GCC would spend an instruction more on spreading the four bytes
    asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(w), "m"(*(const int8_t(*)[4])a));
    return acc;
#endif
}
INLINE I i_dot_wide(I acc, B w, const int8_t* a) { return i_dot(acc, w, a); }

INLINE B b_load(const uint8_t* at) { return _mm512_loadu_si512(at); }
INLINE B b_flip(B a) { return _mm512_xor_si512(a, _mm512_set1_epi8((char)0x80)); }
template <int S>
INLINE B b_move(B a) {
    return S >= 0 ? _mm512_slli_epi16(a, S >= 0 ? S : 0) : _mm512_srli_epi16(a, S < 0 ? -S : 0);
}
template <int S, int MASK>
INLINE B b_field(B a) {
    return _mm512_and_si512(b_move<S>(a), _mm512_set1_epi8(MASK));
}
template <int S, int MASK>
INLINE B b_with(B a, B b) {
    return _mm512_ternarylogic_epi64(a, b_move<S>(b), _mm512_set1_epi8(MASK), 0xf8);  // a | moved & MASK
}
INLINE B b_repeat(const uint8_t* sixteen) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)sixteen));
}
INLINE B b_lookup(B table, B places) { return _mm512_shuffle_epi8(table, places); }

}  // namespace
