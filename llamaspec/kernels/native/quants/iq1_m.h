// IQ1_M: runs of 8 of -1, 0 and 1 from a codebook of 2048, shifted by an eighth; 16 weights share a 3-bit scale. Packed
// in eighths: 8 (q - 1) + 1 or - 1.
#pragma once
#include "byte_scales.h"
#include "codebook.h"

namespace {

struct ShiftedTrits {  // -9, -7, -1, 1, 7 and 9, plus 9
    static constexpr uint8_t QUANTS[16] = {0, 2, 8, 10, 16, 18};
};

struct IQ1_M : ByteScales<IQ1_M, TableBody<3, ShiftedTrits>, 9, 2> {
    static constexpr int BYTES = 56;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int run = 0; run < 32; run++) {
            int high = (block[32 + run / 2] >> (run % 2 * 4)) & 15;
            const uint8_t* ranks = iq1_m_book + 8 * (block[run] | (high & 7) << 8);
            for (int i = 0; i < 8; i++) q[8 * run + i] = (uint8_t)(2 * ranks[i] + (high < 8));
        }
    }
    static float factor(const uint8_t* block) {  // the half float stands in the upper four bits of four words
        int bits = 0;
        for (int i = 0; i < 4; i++) bits |= (read_u16(block + 48 + 2 * i) >> 12) << (4 * i);
        return half_to_float((uint16_t)bits) * 0.125f;
    }
    static int scale_level(const uint8_t* block, int i) {
        return 2 * ((read_u16(block + 48 + i / 4 * 2) >> (i % 4 * 3)) & 7) + 1;
    }
};

}  // namespace
