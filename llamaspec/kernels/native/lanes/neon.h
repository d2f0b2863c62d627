// Sixteen lanes in four NEON registers (with the byte dot product); see generic.h for the meaning of each name.
#pragma once
#include <arm_neon.h>

#include "../half.h"
#include "../table.h"

namespace {

constexpr int TILE_ROWS = 4;
constexpr int TOGETHER = 1;
constexpr int TILE_ROWS_FLOAT = 2;
constexpr int CHAINS = 2;
constexpr int SCORE_SUMS = 4, VALUE_SUMS = 4;
constexpr bool SIGNED_BYTES = true;

struct F {
    float32x4_t v[4];
};
struct I {
    int32x4_t v[4];
};
struct B {
    uint8x16_t v[4];
};

#define EACH4 _Pragma("GCC unroll 4") for (int i = 0; i < 4; i++)

INLINE F f_set(float a) {
    F r;
    EACH4 r.v[i] = vdupq_n_f32(a);
    return r;
}
INLINE F f_load(const float* a) {
    F r;
    EACH4 r.v[i] = vld1q_f32(a + 4 * i);
    return r;
}
INLINE void f_store(float* a, F x) { EACH4 vst1q_f32(a + 4 * i, x.v[i]); }
INLINE F f_add(F a, F b) {
    EACH4 a.v[i] = vaddq_f32(a.v[i], b.v[i]);
    return a;
}
INLINE F f_sub(F a, F b) {
    EACH4 a.v[i] = vsubq_f32(a.v[i], b.v[i]);
    return a;
}
INLINE F f_mul(F a, F b) {
    EACH4 a.v[i] = vmulq_f32(a.v[i], b.v[i]);
    return a;
}
INLINE F f_div(F a, F b) {
    EACH4 a.v[i] = vdivq_f32(a.v[i], b.v[i]);
    return a;
}
INLINE F f_fma(F a, F b, F c) {
    EACH4 c.v[i] = vfmaq_f32(c.v[i], a.v[i], b.v[i]);
    return c;
}
INLINE F f_fnma(F a, F b, F c) {
    EACH4 c.v[i] = vfmsq_f32(c.v[i], a.v[i], b.v[i]);
    return c;
}
INLINE F f_max(F a, F b) {
    EACH4 a.v[i] = vmaxq_f32(a.v[i], b.v[i]);
    return a;
}
INLINE F f_min(F a, F b) {
    EACH4 a.v[i] = vminq_f32(a.v[i], b.v[i]);
    return a;
}
INLINE F f_abs(F a) {
    EACH4 a.v[i] = vabsq_f32(a.v[i]);
    return a;
}
INLINE F f_half(const void* at) {
    F r;
    EACH4 r.v[i] = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t*)at + 4 * i)));
    return r;
}
INLINE void f_store_half(void* at, F x) {
    EACH4 vst1_u16((uint16_t*)at + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(x.v[i])));
}
INLINE F of_bytes(uint8x16_t bytes) {
    F r;
    uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_u8(vget_high_u8(bytes));
    r.v[0] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(low)));
    r.v[1] = vcvtq_f32_u32(vmovl_u16(vget_high_u16(low)));
    r.v[2] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(high)));
    r.v[3] = vcvtq_f32_u32(vmovl_u16(vget_high_u16(high)));
    return r;
}
INLINE F f_bytes(const uint8_t* at) { return of_bytes(vld1q_u8(at)); }
INLINE F f_low_nibbles(const uint8_t* at) { return of_bytes(vandq_u8(vld1q_u8(at), vdupq_n_u8(15))); }
INLINE F f_high_nibbles(const uint8_t* at) { return of_bytes(vshrq_n_u8(vld1q_u8(at), 4)); }
INLINE F f_powers(const uint8_t* at) {
    F r;
    uint8x16_t bytes = vld1q_u8(at);
    uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_u8(vget_high_u8(bytes));
    r.v[0] = vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vget_low_u16(low)), 23));
    r.v[1] = vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vget_high_u16(low)), 23));
    r.v[2] = vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vget_low_u16(high)), 23));
    r.v[3] = vreinterpretq_f32_u32(vshlq_n_u32(vmovl_u16(vget_high_u16(high)), 23));
    return r;
}
INLINE F f_signed_bytes(const uint8_t* at) {
    F r;
    int8x16_t bytes = vld1q_s8((const int8_t*)at);
    int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));
    r.v[0] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(low)));
    r.v[1] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(low)));
    r.v[2] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(high)));
    r.v[3] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)));
    return r;
}
INLINE F f_bf16_even(const void* at) {
    F r;
    EACH4 r.v[i] = vreinterpretq_f32_u32(vshlq_n_u32(vld1q_u32((const uint32_t*)at + 4 * i), 16));
    return r;
}
INLINE F f_bf16_odd(const void* at) {
    F r;
    EACH4 r.v[i] = vreinterpretq_f32_u32(vandq_u32(vld1q_u32((const uint32_t*)at + 4 * i), vdupq_n_u32(0xffff0000)));
    return r;
}
INLINE F f_scale2(F a, F n) {
    EACH4 {
        int32x4_t power = vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n.v[i]), vdupq_n_s32(127)), 23);
        a.v[i] = vmulq_f32(a.v[i], vreinterpretq_f32_s32(power));
    }
    return a;
}
INLINE F f_round(F a) {
    EACH4 a.v[i] = vrndnq_f32(a.v[i]);
    return a;
}
INLINE F f_clear_below(F a, F x, float bound) {
    EACH4 {
        uint32x4_t below = vcltq_f32(x.v[i], vdupq_n_f32(bound));
        a.v[i] = vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(a.v[i]), below));
    }
    return a;
}
INLINE F f_select_below(F x, float bound, F below, F other) {
    EACH4 other.v[i] = vbslq_f32(vcltq_f32(x.v[i], vdupq_n_f32(bound)), below.v[i], other.v[i]);
    return other;
}
INLINE float f_sum(F a) { return vaddvq_f32(vaddq_f32(vaddq_f32(a.v[0], a.v[2]), vaddq_f32(a.v[1], a.v[3]))); }
template <int N>
INLINE void f_sums(const F* a, float* to) {
    for (int i = 0; i < N; i++) to[i] = f_sum(a[i]);
}
INLINE float f_peak(F a) { return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.v[0], a.v[2]), vmaxq_f32(a.v[1], a.v[3]))); }
INLINE void i8_store(int8_t* at, F whole) {
    int16x8_t low = vcombine_s16(vmovn_s32(vcvtnq_s32_f32(whole.v[0])), vmovn_s32(vcvtnq_s32_f32(whole.v[1])));
    int16x8_t high = vcombine_s16(vmovn_s32(vcvtnq_s32_f32(whole.v[2])), vmovn_s32(vcvtnq_s32_f32(whole.v[3])));
    vst1q_s8(at, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}

INLINE I i_set(int32_t a) {
    I r;
    EACH4 r.v[i] = vdupq_n_s32(a);
    return r;
}
INLINE F i_float(I a) {
    F r;
    EACH4 r.v[i] = vcvtq_f32_s32(a.v[i]);
    return r;
}
INLINE I i_dot(I acc, B w, const int8_t* a) {  // quants up to 127, or signed ones
    int32_t four;
    memcpy(&four, a, 4);
    int8x16_t x = vreinterpretq_s8_s32(vdupq_n_s32(four));
    EACH4 acc.v[i] = vdotq_s32(acc.v[i], vreinterpretq_s8_u8(w.v[i]), x);
    return acc;
}
INLINE I i_dot_wide(I acc, B w, const int8_t* a) { return i_dot(acc, w, a); }

INLINE B b_load(const uint8_t* at) {
    B r;
    EACH4 r.v[i] = vld1q_u8(at + 16 * i);
    return r;
}
INLINE B b_flip(B a) {
    EACH4 a.v[i] = veorq_u8(a.v[i], vdupq_n_u8(0x80));
    return a;
}
template <int S>
INLINE uint8x16_t move(uint8x16_t a) {
    if constexpr (S > 0) return vshlq_n_u8(a, S);
    else if constexpr (S < 0) return vshrq_n_u8(a, -S);
    else return a;
}
template <int S, int MASK>
INLINE B b_field(B a) {
    EACH4 a.v[i] = vandq_u8(move<S>(a.v[i]), vdupq_n_u8(MASK));
    return a;
}
template <int S, int MASK>
INLINE B b_with(B a, B b) {
    EACH4 a.v[i] = vorrq_u8(a.v[i], vandq_u8(move<S>(b.v[i]), vdupq_n_u8(MASK)));
    return a;
}
INLINE B b_repeat(const uint8_t* sixteen) {
    B r;
    EACH4 r.v[i] = vld1q_u8(sixteen);
    return r;
}
INLINE B b_lookup(B table, B places) {
    EACH4 places.v[i] = vqtbl1q_u8(table.v[i], places.v[i]);
    return places;
}

#undef EACH4
}  // namespace
