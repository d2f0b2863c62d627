// IQ3_S: runs of 4 from a codebook of 512 with 4 signs; 32 weights share a 4-bit scale.
#pragma once
#include "byte_scales.h"
#include "codebook.h"

namespace {

struct OddMagnitudes {  // 1, 3, ..., 15 with signs, plus 15
    static constexpr uint8_t QUANTS[16] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
};

struct IQ3_S : ByteScales<IQ3_S, TableBody<4, OddMagnitudes>, 15, 1> {
    static constexpr int BYTES = 110;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int run = 0; run < 64; run++) {
            int high = (block[66 + run / 8] >> (run % 8)) & 1;
            int signs = block[74 + run / 2] >> (run % 2 * 4);
            signed_places<8>(iq3_s_book + 4 * (block[2 + run] | high << 8), 4, signs, q + 4 * run);
        }
    }
    static float factor(const uint8_t* block) { return half_to_float(read_u16(block)); }
    static int scale_level(const uint8_t* block, int i) {
        return 2 * ((block[106 + i / 2] >> (i % 2 * 4)) & 15) + 1;
    }
};

}  // namespace
