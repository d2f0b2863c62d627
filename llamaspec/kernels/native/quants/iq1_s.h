// IQ1_S: runs of 8 of -1, 0 and 1 from a codebook of 2048; 32 weights share a 3-bit scale and a shift by an eighth of
// it, up or down, which is a minimum with the other sign: (q - 1) (d (2 s + 1)) - m, m = -(d (2 s + 1)) / 8 or its
// negative.
//
// Head of a chunk of 8 groups of 32: 32 bytes d, 32 bytes unused, 16 bytes per group: 2 s + 1, negative for a shift
// down.
#pragma once
#include "codebook.h"

namespace {

struct IQ1_S {
    typedef IQ1_S Form;
    typedef Body<2> Layout;
    static constexpr int ELEMENTS = 256, BYTES = 50, OFFSET = 1, PARTS = 1;
    static constexpr bool MINIMUM = true;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int run = 0; run < 32; run++) {
            int high = (read_u16(block + 34 + run / 4 * 2) >> (run % 4 * 3)) & 7;
            memcpy(q + 8 * run, iq1_s_book + 8 * (block[2 + run] | high << 8), 8);
        }
    }
    static int signed_scale(const uint8_t* block, int i) {
        int word = read_u16(block + 34 + 2 * i), level = 2 * ((word >> 12) & 7) + 1;
        return word & 0x8000 ? -level : level;
    }
    static float scale(const uint8_t* block, int i) {
        int level = signed_scale(block, i);
        return half_to_float(read_u16(block)) * (float)(level < 0 ? -level : level);
    }
    static float minimum(const uint8_t* block, int i) {
        return half_to_float(read_u16(block)) * ((float)signed_scale(block, i) * -0.125f);
    }
    static constexpr int head(int groups) { return (64 + 16 * groups + 63) / 64 * 64; }
    static void store(uint8_t* head, int, int lane, const uint8_t* block) {
        write_u16(head + 2 * lane, read_u16(block));
        for (int i = 0; i < 8; i++) head[64 + 16 * i + lane] = (uint8_t)signed_scale(block, i);
    }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        F d = f_half(head), level = f_signed_bytes(head + 64 + 16 * group);
        s->scale[0] = f_mul(d, f_abs(level));
        s->minimum[0] = f_mul(d, f_mul(level, f_set(-0.125f)));
    }
};

}  // namespace
