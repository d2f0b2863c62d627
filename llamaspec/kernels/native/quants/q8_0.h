// Q8_0: 32 signed bytes and one half-precision scale; q d. Packed as q + 128, because the dot product takes unsigned
// bytes.
#pragma once
#include "half_scales.h"

namespace {

struct Q8_0 : HalfScale<Body<8>, 128> {
    static constexpr int BYTES = 34;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 32; i++) q[i] = block[2 + i] ^ 0x80;
    }
};

}  // namespace
