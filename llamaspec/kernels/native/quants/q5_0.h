// Q5_0: 32 quants of 5 bits and one half-precision scale; (q - 16) d. The fifth bits stand together in 4 bytes.
#pragma once
#include "half_scales.h"

namespace {

struct Q5_0 : HalfScale<Body<5>, 16> {
    static constexpr int BYTES = 22;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 16; i++) {
            q[i] = (uint8_t)((block[6 + i] & 15) | ((block[2 + i / 8] >> (i % 8)) & 1) << 4);
            q[i + 16] = (uint8_t)((block[6 + i] >> 4) | ((block[4 + i / 8] >> (i % 8)) & 1) << 4);
        }
    }
};

}  // namespace
