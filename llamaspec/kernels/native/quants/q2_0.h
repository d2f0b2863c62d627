// Q2_0: 64 quants of 2 bits and one half-precision scale; (q - 1) d.
#pragma once
#include "half_scales.h"

namespace {

struct Q2_0 : HalfScale<Body<2>, 1, 2> {
    static constexpr int BYTES = 18;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 64; i++) q[i] = (block[2 + i / 4] >> (i % 4 * 2)) & 3;
    }
};

}  // namespace
