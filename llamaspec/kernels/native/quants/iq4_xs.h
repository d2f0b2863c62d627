// IQ4_XS: 256 places in the table of IQ4_NL in 8 groups of 32, each with a 6-bit scale around 32.
#pragma once
#include "byte_scales.h"
#include "iq4_nl.h"

namespace {

struct IQ4_XS : ByteScales<IQ4_XS, TableBody<4, NearZero>, 128, 1> {
    static constexpr int BYTES = 136;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 256; i++) q[i] = (block[8 + i / 32 * 16 + i % 16] >> (i / 16 % 2 * 4)) & 15;
    }
    static float factor(const uint8_t* block) { return half_to_float(read_u16(block)); }
    static int scale_level(const uint8_t* block, int i) {
        int low = (block[4 + i / 2] >> (i % 2 * 4)) & 15, high = (read_u16(block + 2) >> (2 * i)) & 3;
        return (low | high << 4) - 32;
    }
};

}  // namespace
