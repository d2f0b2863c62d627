// IQ4_NL: 32 places in a table of quants, which lie closer together near zero, and one half-precision scale.
#pragma once
#include "q4_0.h"

namespace {

struct NearZero {  // plus 128
    static constexpr uint8_t QUANTS[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                           129, 141, 153, 166, 181, 197, 217, 241};
};

struct IQ4_NL : HalfScale<TableBody<4, NearZero>, 128> {
    static constexpr int BYTES = 18;
    static void quants(const uint8_t* block, uint8_t* q) { Q4_0::quants(block, q); }
};

}  // namespace
