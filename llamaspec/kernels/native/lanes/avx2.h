// Sixteen lanes in two AVX2 registers (AVX2, FMA, F16C); see generic.h for the meaning of each name.
#pragma once
#include <immintrin.h>

#include "../half.h"
#include "../table.h"

namespace {

#define LANES_IN_HALVES  // group_by_quads.h, attention_halves.h
#ifdef LANES_AVX_VNNI
constexpr bool VNNI = true;
#else
constexpr bool VNNI = false;
#endif
constexpr bool SIGNED_BYTES = !VNNI;
constexpr int TILE_ROWS = 16;
constexpr int TOGETHER = 4;  // rows that meet two quads at a time
constexpr int TILE_ROWS_FLOAT = 2;
constexpr int CHAINS = 2;
constexpr int SCORE_SUMS = 8, VALUE_SUMS = 8;  // of attention; half of each at a time

struct F {
    __m256 a, b;
};
struct I {
    __m256i a, b;
};
struct B {
    __m256i a, b;
};

INLINE F f_set(float x) {
    __m256 v = _mm256_set1_ps(x);
    return {v, v};
}
INLINE F f_load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INLINE void f_store(float* p, F x) {
    _mm256_storeu_ps(p, x.a);
    _mm256_storeu_ps(p + 8, x.b);
}
INLINE F f_add(F x, F y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
INLINE F f_sub(F x, F y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }
INLINE F f_mul(F x, F y) { return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)}; }
INLINE F f_div(F x, F y) { return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)}; }
INLINE F f_fma(F x, F y, F z) { return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)}; }
INLINE F f_fnma(F x, F y, F z) { return {_mm256_fnmadd_ps(x.a, y.a, z.a), _mm256_fnmadd_ps(x.b, y.b, z.b)}; }
INLINE F f_max(F x, F y) { return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)}; }
INLINE F f_min(F x, F y) { return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)}; }
INLINE F f_abs(F x) {
    __m256 sign = _mm256_set1_ps(-0.0f);
    return {_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b)};
}
INLINE F f_half(const void* p) {
    const __m128i* h = (const __m128i*)p;
    return {_mm256_cvtph_ps(_mm_loadu_si128(h)), _mm256_cvtph_ps(_mm_loadu_si128(h + 1))};
}
INLINE void f_store_half(void* p, F x) {
    _mm_storeu_si128((__m128i*)p, _mm256_cvtps_ph(x.a, _MM_FROUND_TO_NEAREST_INT));
    _mm_storeu_si128((__m128i*)p + 1, _mm256_cvtps_ph(x.b, _MM_FROUND_TO_NEAREST_INT));
}
INLINE F of_bytes(__m128i v) {
    return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(v)),
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(v, 8)))};
}
INLINE F f_bytes(const uint8_t* p) { return of_bytes(_mm_loadu_si128((const __m128i*)p)); }
INLINE F f_low_nibbles(const uint8_t* p) {
    return of_bytes(_mm_and_si128(_mm_loadu_si128((const __m128i*)p), _mm_set1_epi8(15)));
}
INLINE F f_high_nibbles(const uint8_t* p) {
    return of_bytes(_mm_and_si128(_mm_srli_epi16(_mm_loadu_si128((const __m128i*)p), 4), _mm_set1_epi8(15)));
}
INLINE F f_powers(const uint8_t* p) {
    __m128i v = _mm_loadu_si128((const __m128i*)p);
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu8_epi32(v), 23)),
            _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_srli_si128(v, 8)), 23))};
}
INLINE F f_signed_bytes(const uint8_t* p) {
    __m128i v = _mm_loadu_si128((const __m128i*)p);
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(v)),
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(v, 8)))};
}
INLINE F f_bf16_even(const void* p) {
    const __m256i* v = (const __m256i*)p;
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256(v), 16)),
            _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256(v + 1), 16))};
}
INLINE F f_bf16_odd(const void* p) {
    const __m256i* v = (const __m256i*)p;
    __m256i high = _mm256_set1_epi32((int)0xffff0000);
    return {_mm256_castsi256_ps(_mm256_and_si256(_mm256_loadu_si256(v), high)),
            _mm256_castsi256_ps(_mm256_and_si256(_mm256_loadu_si256(v + 1), high))};
}
INLINE __m256 scale2(__m256 x, __m256 n) {
    __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(x, _mm256_castsi256_ps(power));
}
INLINE F f_scale2(F x, F n) { return {scale2(x.a, n.a), scale2(x.b, n.b)}; }
INLINE F f_round(F x) {
    return {_mm256_round_ps(x.a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
            _mm256_round_ps(x.b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
INLINE F f_clear_below(F y, F x, float bound) {
    __m256 b = _mm256_set1_ps(bound);
    return {_mm256_andnot_ps(_mm256_cmp_ps(x.a, b, _CMP_LT_OQ), y.a),
            _mm256_andnot_ps(_mm256_cmp_ps(x.b, b, _CMP_LT_OQ), y.b)};
}
INLINE F f_select_below(F x, float bound, F below, F other) {
    __m256 b = _mm256_set1_ps(bound);
    return {_mm256_blendv_ps(other.a, below.a, _mm256_cmp_ps(x.a, b, _CMP_LT_OQ)),
            _mm256_blendv_ps(other.b, below.b, _mm256_cmp_ps(x.b, b, _CMP_LT_OQ))};
}
INLINE float f_sum(F x) {
    __m256 b = _mm256_add_ps(x.a, x.b);
    __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_add_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_add_ss(c, _mm_movehdup_ps(c)));
}
INLINE float f_peak(F x) {
    __m256 b = _mm256_max_ps(x.a, x.b);
    __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
    c = _mm_max_ps(c, _mm_movehl_ps(c, c));
    return _mm_cvtss_f32(_mm_max_ss(c, _mm_movehdup_ps(c)));
}
INLINE void i8_store(int8_t* at, F whole) {
    __m256i pairs = _mm256_packs_epi32(_mm256_cvtps_epi32(whole.a), _mm256_cvtps_epi32(whole.b));
    pairs = _mm256_permute4x64_epi64(pairs, 0xd8);
    _mm_storeu_si128((__m128i*)at, _mm_packs_epi16(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
}

INLINE I i_set(int32_t x) {
    __m256i v = _mm256_set1_epi32(x);
    return {v, v};
}
INLINE F i_float(I x) { return {_mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b)}; }
INLINE int32_t four(const int8_t* a) {
    int32_t v;
    memcpy(&v, a, 4);
    return v;
}
// An addition that stays where it is: the compiler would put all of a sum at its end, for which registers are too few.
INLINE __m256i in_place(__m256i x) {
    asm("" : "+x"(x));
    return x;
}
INLINE I i_add(I x, I y) { return {in_place(_mm256_add_epi32(x.a, y.a)), in_place(_mm256_add_epi32(x.b, y.b))}; }
INLINE I i16_add(I x, I y) { return {in_place(_mm256_add_epi16(x.a, y.a)), in_place(_mm256_add_epi16(x.b, y.b))}; }
// Pairs of 16 bits become their sums.
INLINE I i16_widen(I x) {
    __m256i ones = _mm256_set1_epi16(1);
    return {_mm256_madd_epi16(x.a, ones), _mm256_madd_epi16(x.b, ones)};
}
// The sums of two products each, of bytes of w and the four at p again and again; w at most 127.
INLINE I i16_dot(B w, const int8_t* p) {
    __m256i x = _mm256_set1_epi32(four(p));
    return {_mm256_maddubs_epi16(w.a, x), _mm256_maddubs_epi16(w.b, x)};
}
// The same for signed bytes; size: their magnitudes.
INLINE I i16_dot_signed(B w, B size, const int8_t* p) {
    __m256i x = _mm256_set1_epi32(four(p));
    return {_mm256_maddubs_epi16(size.a, _mm256_sign_epi8(x, w.a)),
            _mm256_maddubs_epi16(size.b, _mm256_sign_epi8(x, w.b))};
}
#ifdef LANES_AVX_VNNI
INLINE I i_dot(I sum, B w, const int8_t* p) {
    __m256i x = _mm256_set1_epi32(four(p));
    return {_mm256_dpbusd_avx_epi32(sum.a, w.a, x), _mm256_dpbusd_avx_epi32(sum.b, w.b, x)};
}
#else
INLINE I i_dot(I sum, B w, const int8_t* p) { return i_add(sum, i16_widen(i16_dot(w, p))); }
#endif

INLINE B b_load(const uint8_t* p) {
    return {_mm256_loadu_si256((const __m256i*)p), _mm256_loadu_si256((const __m256i*)p + 1)};
}
template <int S, int MASK>
INLINE __m256i field(__m256i x) {
    __m256i moved = S >= 0 ? _mm256_slli_epi16(x, S >= 0 ? S : 0) : _mm256_srli_epi16(x, S < 0 ? -S : 0);
    return _mm256_and_si256(moved, _mm256_set1_epi8(MASK));
}
template <int S, int MASK>
INLINE B b_field(B x) {
    return {field<S, MASK>(x.a), field<S, MASK>(x.b)};
}
template <int S, int MASK>
INLINE B b_with(B x, B y) {
    return {_mm256_or_si256(x.a, field<S, MASK>(y.a)), _mm256_or_si256(x.b, field<S, MASK>(y.b))};
}
INLINE B b_repeat(const uint8_t* sixteen) {
    __m256i v = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)sixteen));
    return {v, v};
}
INLINE B b_lookup(B table, B places) {
    return {_mm256_shuffle_epi8(table.a, places.a), _mm256_shuffle_epi8(table.b, places.b)};
}
INLINE B b_abs(B x) { return {_mm256_abs_epi8(x.a), _mm256_abs_epi8(x.b)}; }
INLINE B b_flip(B x) {
    __m256i m = _mm256_set1_epi8((char)0x80);
    return {_mm256_xor_si256(x.a, m), _mm256_xor_si256(x.b, m)};
}

}  // namespace
