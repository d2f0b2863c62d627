// Q5_1: 32 quants of 5 bits, a half-precision scale and minimum; q d + m.
#pragma once
#include "half_scales.h"

namespace {

struct Q5_1 : HalfScaleAndMinimum<Body<5>> {
    static constexpr int BYTES = 24;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 16; i++) {
            q[i] = (uint8_t)((block[8 + i] & 15) | ((block[4 + i / 8] >> (i % 8)) & 1) << 4);
            q[i + 16] = (uint8_t)((block[8 + i] >> 4) | ((block[6 + i / 8] >> (i % 8)) & 1) << 4);
        }
    }
};

}  // namespace
