// Q4_K: 256 quants of 4 bits in 8 groups of 32, each with a 6-bit scale and minimum; q (d s) - (dmin m).
#pragma once
#include "k_scales.h"

namespace {

struct Q4_K : KScales<Body<4>> {
    static constexpr int BYTES = 144;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 256; i++) q[i] = (block[16 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4)) & 15;
    }
};

}  // namespace
