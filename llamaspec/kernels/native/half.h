// Half precision numbers, one at a time and without instructions that a CPU may lack.
#pragma once
#include <stdint.h>
#include <string.h>

static inline float bits_to_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static inline uint32_t float_to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

static inline uint16_t read_u16(const uint8_t* at) {
    uint16_t value;
    memcpy(&value, at, 2);
    return value;
}

static inline void write_u16(uint8_t* at, uint16_t value) { memcpy(at, &value, 2); }

static inline float half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (half >> 10) & 31, fraction = half & 1023;
    if (exponent == 0) {  // zero and subnormals: fraction * 2^-24, exact in float
        float magnitude = (float)fraction * bits_to_float(0x33800000);
        return bits_to_float(sign | float_to_bits(magnitude));
    }
    if (exponent == 31) return bits_to_float(sign | 0x7f800000 | (fraction << 13));
    return bits_to_float(sign | ((exponent + 112) << 23) | (fraction << 13));
}

static inline uint16_t float_to_half(float value) {  // nearest, ties to even
    uint32_t bits = float_to_bits(value), sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) {  // a subnormal half: let the float adder round at 2^-24
        float rounded = bits_to_float(magnitude) + 0.5f;
        return (uint16_t)(sign | (float_to_bits(rounded) - 0x3f000000));
    }
    uint32_t odd = (magnitude >> 13) & 1;
    return (uint16_t)(sign | ((magnitude - 0x38000000 + 0xfff + odd) >> 13));
}

static inline uint16_t float_to_bf16(float value) {  // nearest, ties to even
    uint32_t bits = float_to_bits(value);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static inline float bf16_to_float(uint16_t value) { return bits_to_float((uint32_t)value << 16); }
