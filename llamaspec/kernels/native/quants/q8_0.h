// Q8_0: 32 signed bytes and one half-precision scale; q d. Packed as q + 128, because the dot product takes unsigned
// bytes.
#pragma once

namespace {

struct Q8_0 {
    static constexpr int ELEMENTS = 32, BYTES = 34, BITS = 8, OFFSET = 128, PARTS = 1;
    static constexpr bool MINIMUM = false;
    static void levels(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 32; i++) q[i] = block[2 + i] ^ 0x80;
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
