// IQ2_XS: runs of 8 from a codebook of 512 with 7 signs; 16 weights share a 4-bit scale.
#pragma once
#include "iq2.h"

namespace {

struct IQ2_XS : IQ2<IQ2_XS, 2> {
    static constexpr int BYTES = 74;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int run = 0; run < 32; run++) {
            int word = read_u16(block + 2 + 2 * run);
            signed_places<3>(iq2_xs_book + 8 * (word & 511), 8, eight_signs((uint32_t)word >> 9), q + 8 * run);
        }
    }
    static int scale_level(const uint8_t* block, int i) {
        return 2 * ((block[66 + i / 2] >> (i % 2 * 4)) & 15) + 1;
    }
};

}  // namespace
