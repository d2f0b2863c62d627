// Q6_K: 256 quants of 6 bits in 16 groups of 16, each with a signed 8-bit scale; (q - 32) (d s).
#pragma once
#include "byte_scales.h"

namespace {

struct Q6_K : ByteScales<Q6_K, Body<6>, 32, 2> {
    static constexpr int BYTES = 210;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 256; i++) {
            int half = i / 128, quarter = i / 32 % 4, column = i % 32;
            int low = (block[64 * half + quarter % 2 * 32 + column] >> (quarter / 2 * 4)) & 15;
            q[i] = (uint8_t)(low | ((block[128 + 32 * half + column] >> (2 * quarter)) & 3) << 4);
        }
    }
    static float factor(const uint8_t* block) { return half_to_float(read_u16(block + 208)); }
    static int scale_level(const uint8_t* block, int i) { return (int8_t)block[192 + i]; }
};

}  // namespace
