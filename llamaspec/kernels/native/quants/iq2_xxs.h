// IQ2_XXS: runs of 8 from a codebook of 256 with 7 signs; 32 weights share a 4-bit scale.
#pragma once
#include "iq2.h"

namespace {

struct IQ2_XXS : IQ2<IQ2_XXS, 1> {
    static constexpr int BYTES = 66;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int run = 0; run < 32; run++) {
            const uint8_t* group = block + 2 + run / 4 * 8;
            int signs = eight_signs(read_u32(group + 4) >> (run % 4 * 7));
            signed_places<3>(iq2_xxs_book + 8 * group[run % 4], 8, signs, q + 8 * run);
        }
    }
    static int scale_level(const uint8_t* block, int i) { return 2 * (block[9 + 8 * i] >> 4) + 1; }
};

}  // namespace
