// Q4_1: 32 quants of 4 bits, a half-precision scale and minimum; q d + m.
#pragma once
#include "half_scales.h"

namespace {

struct Q4_1 : HalfScaleAndMinimum<Body<4>> {
    static constexpr int BYTES = 20;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 16; i++) {
            q[i] = block[4 + i] & 15;
            q[i + 16] = block[4 + i] >> 4;
        }
    }
};

}  // namespace
