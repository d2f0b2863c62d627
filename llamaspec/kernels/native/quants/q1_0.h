// Q1_0: 128 signs and one half-precision scale.
#pragma once
#include "half_scales.h"

namespace {

struct Q1_0 : HalfScale<Body<1>, 1, 4> {
    static constexpr int BYTES = 18;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 128; i++) q[i] = (uint8_t)(((block[2 + i / 8] >> (i % 8)) & 1) << 1);
    }
};

}  // namespace
