// Q5_0: 32 levels of 5 bits and one half-precision scale; (q - 16) d. The fifth bits stand together in 4 bytes.
#pragma once

namespace {

struct Q5_0 {
    static constexpr int ELEMENTS = 32, BYTES = 22, BITS = 5, OFFSET = 16, PARTS = 1;
    static constexpr bool MINIMUM = false;
    static void levels(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 16; i++) {
            q[i] = (uint8_t)((block[6 + i] & 15) | ((block[2 + i / 8] >> (i % 8)) & 1) << 4);
            q[i + 16] = (uint8_t)((block[6 + i] >> 4) | ((block[4 + i / 8] >> (i % 8)) & 1) << 4);
        }
    }
    static float scale(const uint8_t* block, int) { return half_to_float(read_u16(block)); }
    static float minimum(const uint8_t*, int) { return 0; }
    static constexpr int head(int groups) { return (32 * groups + 63) / 64 * 64; }
    static void store(uint8_t* head, int group, int lane, const uint8_t* block) {
        write_u16(head + 32 * group + 2 * lane, read_u16(block));
    }
    static INLINE void load(const uint8_t* head, int group, Scales* s) { s->scale[0] = f_half(head + 32 * group); }
};

}  // namespace
