// NVFP4: 64 floats of 4 bits, doubled; each 16 have a float of 8 bits as scale (no sign, 4 bits of exponent, 3 of
// mantissa), which half precision holds exactly.
//
// Head of a chunk of g groups of 32: 32 bytes of scales per run of 16 columns.
#pragma once
#include "mxfp4.h"

namespace {

struct NVFP4 {
    typedef NVFP4 Form;
    typedef TableBody<4, SmallFloats> Layout;
    static constexpr int ELEMENTS = 64, BYTES = 36, OFFSET = 12, PARTS = 2;
    static constexpr bool MINIMUM = false;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 64; i++) q[i] = (block[4 + i / 16 * 8 + i % 8] >> (i / 8 % 2 * 4)) & 15;
    }
    static float scale(const uint8_t* block, int i) {  // halved, because quants are doubled; 127 is not a number
        int exponent = (block[i] >> 3) & 15, mantissa = block[i] & 7;
        if (block[i] == 127) return 0;
        return (float)(exponent ? (mantissa | 8) << (exponent - 1) : mantissa) * (1.0f / 1024);
    }
    static float minimum(const uint8_t*, int) { return 0; }
    static constexpr int head(int groups) { return 64 * groups; }
    static void store(uint8_t* head, int group, int lane, const uint8_t* block) {
        for (int i = 0; i < 4; i++) write_u16(head + 64 * group + 32 * i + 2 * lane, float_to_half(scale(block, i)));
    }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        for (int part = 0; part < 2; part++) s->scale[part] = f_half(head + 64 * group + 32 * part);
    }
};

}  // namespace
