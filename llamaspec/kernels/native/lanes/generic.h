// Sixteen lanes in plain C++: correct anywhere, the model for the other files of this folder.
//
// F: 16 floats. I: 16 int32. B: 64 bytes, four per lane. Every file of this folder offers the same names.
#pragma once
#include <math.h>

#include "../half.h"
#include "../table.h"

namespace {

constexpr int TILE_ROWS = 2;          // rows that share one unpacking of the weights, quantised types
constexpr int TOGETHER = 1;           // rows whose dot products are interleaved
constexpr int TILE_ROWS_FLOAT = 2;    // the same for F32, F16, BF16
constexpr int CHAINS = 2;             // independent sums over k, float types
constexpr int SCORE_SUMS = 4, VALUE_SUMS = 4;  // vectors of sums that attention has in registers
constexpr bool SIGNED_BYTES = false;  // whether i_dot_wide takes bytes of -128..127, else 0..255

struct F {
    float v[16];
};
struct I {
    int32_t v[16];
};
struct B {
    uint8_t v[64];
};

#define LANES for (int i = 0; i < 16; i++)
#define BYTES64 for (int i = 0; i < 64; i++)

INLINE F f_set(float a) {
    F r;
    LANES r.v[i] = a;
    return r;
}
INLINE F f_load(const float* a) {
    F r;
    LANES r.v[i] = a[i];
    return r;
}
INLINE void f_store(float* a, F x) { LANES a[i] = x.v[i]; }
INLINE F f_add(F a, F b) {
    LANES a.v[i] += b.v[i];
    return a;
}
INLINE F f_sub(F a, F b) {
    LANES a.v[i] -= b.v[i];
    return a;
}
INLINE F f_mul(F a, F b) {
    LANES a.v[i] *= b.v[i];
    return a;
}
INLINE F f_div(F a, F b) {
    LANES a.v[i] /= b.v[i];
    return a;
}
INLINE F f_fma(F a, F b, F c) {
    LANES c.v[i] += a.v[i] * b.v[i];
    return c;
}  // a b + c
INLINE F f_fnma(F a, F b, F c) {
    LANES c.v[i] -= a.v[i] * b.v[i];
    return c;
}  // c - a b
// max and min hand on a NaN that stands in the second place
INLINE F f_max(F a, F b) {
    LANES b.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
    return b;
}
INLINE F f_min(F a, F b) {
    LANES b.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
    return b;
}
INLINE F f_abs(F a) {
    LANES a.v[i] = fabsf(a.v[i]);
    return a;
}
INLINE F f_half(const void* at) {
    F r;
    LANES r.v[i] = half_to_float(read_u16((const uint8_t*)at + 2 * i));
    return r;
}
INLINE void f_store_half(void* at, F x) { LANES write_u16((uint8_t*)at + 2 * i, float_to_half(x.v[i])); }
INLINE F f_bytes(const uint8_t* at) {
    F r;
    LANES r.v[i] = (float)at[i];
    return r;
}
INLINE F f_low_nibbles(const uint8_t* at) {
    F r;
    LANES r.v[i] = (float)(at[i] & 15);
    return r;
}
INLINE F f_high_nibbles(const uint8_t* at) {
    F r;
    LANES r.v[i] = (float)(at[i] >> 4);
    return r;
}
INLINE F f_powers(const uint8_t* at) {  // 2^(byte - 127); zero for 0, infinity for 255
    F r;
    LANES r.v[i] = bits_to_float((uint32_t)at[i] << 23);
    return r;
}
INLINE F f_signed_bytes(const uint8_t* at) {
    F r;
    LANES r.v[i] = (float)(int8_t)at[i];
    return r;
}
// 16 pairs of BF16: the even and the odd members
INLINE F f_bf16_even(const void* at) {
    F r;
    LANES r.v[i] = bf16_to_float(read_u16((const uint8_t*)at + 4 * i));
    return r;
}
INLINE F f_bf16_odd(const void* at) {
    F r;
    LANES r.v[i] = bf16_to_float(read_u16((const uint8_t*)at + 4 * i + 2));
    return r;
}
// a 2^n for whole n in [-126, 128]; 2^128 may be infinity
INLINE F f_scale2(F a, F n) {
    LANES a.v[i] *= bits_to_float((uint32_t)((int32_t)n.v[i] + 127) << 23);
    return a;
}
INLINE F f_round(F a) {
    LANES a.v[i] = nearbyintf(a.v[i]);
    return a;
}
INLINE F f_clear_below(F a, F x, float bound) {
    LANES a.v[i] = x.v[i] < bound ? 0.0f : a.v[i];
    return a;
}
INLINE F f_select_below(F x, float bound, F below, F other) {  // x < bound ? below : other
    LANES other.v[i] = x.v[i] < bound ? below.v[i] : other.v[i];
    return other;
}
INLINE float f_sum(F a) {
    for (int n = 8; n > 0; n /= 2)
        for (int i = 0; i < n; i++) a.v[i] += a.v[i + n];
    return a.v[0];
}
template <int N>
INLINE void f_sums(const F* a, float* to) {  // of N = SCORE_SUMS vectors
    for (int i = 0; i < N; i++) to[i] = f_sum(a[i]);
}
INLINE float f_peak(F a) {
    for (int n = 8; n > 0; n /= 2)
        for (int i = 0; i < n; i++) a.v[i] = a.v[i] > a.v[i + n] ? a.v[i] : a.v[i + n];
    return a.v[0];
}
INLINE void i8_store(int8_t* at, F whole) { LANES at[i] = (int8_t)(int32_t)whole.v[i]; }

INLINE I i_set(int32_t a) {
    I r;
    LANES r.v[i] = a;
    return r;
}
INLINE F i_float(I a) {
    F r;
    LANES r.v[i] = (float)a.v[i];
    return r;
}
// acc[lane] += the products of the lane's four unsigned bytes and the four signed bytes at `a`
INLINE I i_dot(I acc, B w, const int8_t* a) {
    LANES acc.v[i] += w.v[4 * i] * a[0] + w.v[4 * i + 1] * a[1] + w.v[4 * i + 2] * a[2] + w.v[4 * i + 3] * a[3];
    return acc;
}
INLINE I i_dot_wide(I acc, B w, const int8_t* a) { return i_dot(acc, w, a); }  // bytes above 127 occur

INLINE B b_load(const uint8_t* at) {
    B r;
    memcpy(r.v, at, 64);
    return r;
}
INLINE B b_flip(B a) {
    BYTES64 a.v[i] ^= 0x80;
    return a;
}
// Every byte moved to the left by S bits (to the right if S is negative), of which the bits in MASK remain.
template <int S, int MASK>
INLINE B b_field(B a) {
    BYTES64 a.v[i] = (uint8_t)((S >= 0 ? a.v[i] << (S >= 0 ? S : 0) : a.v[i] >> (S < 0 ? -S : 0)) & MASK);
    return a;
}
// a | b_field<S, MASK>(b)
template <int S, int MASK>
INLINE B b_with(B a, B b) {
    b = b_field<S, MASK>(b);
    BYTES64 a.v[i] |= b.v[i];
    return a;
}
INLINE B b_repeat(const uint8_t* sixteen) {
    B r;
    BYTES64 r.v[i] = sixteen[i % 16];
    return r;
}
// places below 16 in the table of 16 bytes that `table` repeats
INLINE B b_lookup(B table, B places) {
    BYTES64 places.v[i] = table.v[places.v[i]];
    return places;
}

#undef LANES
#undef BYTES64
}  // namespace
