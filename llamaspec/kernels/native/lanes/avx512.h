// Sixteen lanes in one AVX-512 register (F, BW, VL, DQ, VNNI); see generic.h for the meaning of each name.
#pragma once
#include <immintrin.h>

#include "../half.h"

namespace {

constexpr int TILE_ROWS = 16;
constexpr int TILE_ROWS_FLOAT = 6;
constexpr int CHAINS = 4;

typedef __m512 F;
typedef __m512i I;
typedef __m512i B;

inline F f_set(float a) { return _mm512_set1_ps(a); }
inline F f_load(const float* a) { return _mm512_loadu_ps(a); }
inline void f_store(float* a, F x) { _mm512_storeu_ps(a, x); }
inline F f_add(F a, F b) { return _mm512_add_ps(a, b); }
inline F f_sub(F a, F b) { return _mm512_sub_ps(a, b); }
inline F f_mul(F a, F b) { return _mm512_mul_ps(a, b); }
inline F f_div(F a, F b) { return _mm512_div_ps(a, b); }
inline F f_fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F f_fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
inline F f_max(F a, F b) { return _mm512_max_ps(a, b); }
inline F f_min(F a, F b) { return _mm512_min_ps(a, b); }
inline F f_abs(F a) { return _mm512_abs_ps(a); }
inline F f_half(const void* at) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)at)); }
inline void f_store_half(void* at, F x) { _mm256_storeu_si256((__m256i*)at, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT)); }
inline F f_bytes(const uint8_t* at) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)at))); }
inline F f_signed_bytes(const uint8_t* at) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i*)at))); }
inline F f_bf16_even(const void* at) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(at), 16)); }
inline F f_bf16_odd(const void* at) { return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(at), _mm512_set1_epi32((int)0xffff0000))); }
inline F f_scale2(F a, F n) { return _mm512_scalef_ps(a, n); }
inline F f_round(F a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline F f_clear_below(F a, F x, float bound) {
    return _mm512_mask_mov_ps(a, _mm512_cmp_ps_mask(x, _mm512_set1_ps(bound), _CMP_LT_OQ), _mm512_setzero_ps());
}
inline float f_sum(F a) {
    __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
inline float f_peak(F a) {
    __m256 b = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
    __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_max_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}
inline void i8_store(int8_t* at, F whole) { _mm_storeu_si128((__m128i*)at, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(whole))); }

inline I i_set(int32_t a) { return _mm512_set1_epi32(a); }
inline F i_float(I a) { return _mm512_cvtepi32_ps(a); }
inline int32_t four(const int8_t* a) { int32_t v; memcpy(&v, a, 4); return v; }
inline I i_dot(I acc, B w, const int8_t* a) { return _mm512_dpbusd_epi32(acc, w, _mm512_set1_epi32(four(a))); }
inline I i_dot_wide(I acc, B w, const int8_t* a) { return i_dot(acc, w, a); }

inline B b_load(const uint8_t* at) { return _mm512_loadu_si512(at); }
inline B b_low4(B a) { return _mm512_and_si512(a, _mm512_set1_epi8(15)); }
inline B b_high4(B a) { return _mm512_and_si512(_mm512_srli_epi16(a, 4), _mm512_set1_epi8(15)); }
inline B b_or(B a, B b) { return _mm512_or_si512(a, b); }
template <int S> inline B b_move(B a) { return S >= 0 ? _mm512_slli_epi16(a, S >= 0 ? S : 0) : _mm512_srli_epi16(a, S < 0 ? -S : 0); }
template <int J> inline B b_bit(B a) { return _mm512_and_si512(b_move<4 - J>(a), _mm512_set1_epi8(0x10)); }
template <int J> inline B b_pair(B a) { return _mm512_and_si512(b_move<4 - 2 * J>(a), _mm512_set1_epi8(0x30)); }

}  // namespace
