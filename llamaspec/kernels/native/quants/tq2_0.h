// TQ2_0: 256 quants of 2 bits and one half-precision scale; (q - 1) d.
#pragma once
#include "half_scales.h"

namespace {

struct TQ2_0 : HalfScale<Body<2>, 1, 8, 64> {
    static constexpr int BYTES = 66;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 256; i++) q[i] = (block[i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2)) & 3;
    }
};

}  // namespace
