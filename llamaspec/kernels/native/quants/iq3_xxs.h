// IQ3_XXS: runs of 4 from a codebook of 256, 7 signs for two of them; 32 weights share a 4-bit scale.
#pragma once
#include "byte_scales.h"
#include "codebook.h"

namespace {

struct EightMagnitudes {  // 4, 12, 20, 28, 36, 44, 52 and 62 with signs, plus 62
    static constexpr uint8_t QUANTS[16] = {0, 10, 18, 26, 34, 42, 50, 58, 66, 74, 82, 90, 98, 106, 114, 124};
};

struct IQ3_XXS : ByteScales<IQ3_XXS, TableBody<4, EightMagnitudes>, 62, 1> {
    static constexpr int BYTES = 98;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int run = 0; run < 64; run++) {
            int signs = eight_signs(read_u32(block + 66 + run / 8 * 4) >> (run / 2 % 4 * 7));
            signed_places<8>(iq3_xxs_book + 4 * block[2 + run], 4, signs >> (run % 2 * 4), q + 4 * run);
        }
    }
    static float factor(const uint8_t* block) { return half_to_float(read_u16(block)) * 0.25f; }  // of 2 s + 1
    static int scale_level(const uint8_t* block, int i) { return 2 * (block[69 + 4 * i] >> 4) + 1; }
};

}  // namespace
