// Q5_K: Q4_K with a fifth bit per quant; bit g of byte i belongs to element i of group g.
#pragma once
#include "k_scales.h"

namespace {

struct Q5_K : KScales<Body<5>> {
    static constexpr int BYTES = 176;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 256; i++) {
            int low = (block[48 + i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4)) & 15;
            q[i] = (uint8_t)(low | ((block[16 + i % 32] >> (i / 32)) & 1) << 4);
        }
    }
};

}  // namespace
