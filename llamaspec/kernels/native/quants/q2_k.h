// Q2_K: 256 quants of 2 bits in 16 groups of 16, each with a 4-bit scale and minimum; q (d s) - (dmin m).
//
// Head of a chunk of 8 groups of 32: 32 bytes d, 32 bytes dmin, 16 bytes per run of 16 columns: scale, and minimum on
// top.
#pragma once

namespace {

struct Q2_K {
    typedef Q2_K Form;
    typedef Body<2> Layout;
    static constexpr int ELEMENTS = 256, BYTES = 84, OFFSET = 0, PARTS = 2;
    static constexpr bool MINIMUM = true;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 256; i++) q[i] = (block[16 + i / 128 * 32 + i % 32] >> (i / 32 % 4 * 2)) & 3;
    }
    static float scale(const uint8_t* block, int i) {
        return half_to_float(read_u16(block + 80)) * (float)(block[i] & 15);
    }
    static float minimum(const uint8_t* block, int i) {
        return half_to_float(read_u16(block + 82)) * (float)(block[i] >> 4);
    }
    static constexpr int head(int groups) { return (64 + 32 * groups + 63) / 64 * 64; }
    static void store(uint8_t* head, int, int lane, const uint8_t* block) {
        write_u16(head + 2 * lane, read_u16(block + 80));
        write_u16(head + 32 + 2 * lane, read_u16(block + 82));
        for (int i = 0; i < 16; i++) head[64 + 16 * i + lane] = block[i];
    }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        F d = f_half(head), dmin = f_half(head + 32);
        for (int part = 0; part < 2; part++) {
            const uint8_t* both = head + 64 + 32 * group + 16 * part;
            s->scale[part] = f_mul(d, f_low_nibbles(both));
            s->minimum[part] = f_mul(dmin, f_high_nibbles(both));
        }
    }
};

}  // namespace
