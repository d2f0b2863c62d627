// IQ2_S: runs of 8 from a codebook of 1024 with 8 signs; 16 weights share a 4-bit scale.
#pragma once
#include "iq2.h"

namespace {

struct IQ2_S : IQ2<IQ2_S, 2> {
    static constexpr int BYTES = 82;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int run = 0; run < 32; run++) {
            int high = (block[66 + run / 4] >> (run % 4 * 2)) & 3;
            signed_places<3>(iq2_s_book + 8 * (block[2 + run] | high << 8), 8, block[34 + run], q + 8 * run);
        }
    }
    static int scale_level(const uint8_t* block, int i) {
        return 2 * ((block[74 + i / 2] >> (i % 2 * 4)) & 15) + 1;
    }
};

}  // namespace
