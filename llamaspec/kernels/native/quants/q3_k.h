// Q3_K: 256 quants of 3 bits in 16 groups of 16, each with a 6-bit scale around 32; (q - 4) (d s).
#pragma once
#include "byte_scales.h"

namespace {

struct Q3_K : ByteScales<Q3_K, Body<3>, 4, 2> {
    static constexpr int BYTES = 110;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 256; i++) {
            int low = (block[32 + i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2)) & 3;
            q[i] = (uint8_t)(low | ((block[i % 32] >> (i / 32)) & 1) << 2);
        }
    }
    static float factor(const uint8_t* block) { return half_to_float(read_u16(block + 108)); }
    static int scale_level(const uint8_t* block, int i) {
        int low = (block[96 + i % 8] >> (i / 8 * 4)) & 15, high = (block[104 + i % 4] >> (i / 4 * 2)) & 3;
        return (low | high << 4) - 32;
    }
};

}  // namespace
