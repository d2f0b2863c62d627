// Q4_1: 32 levels of 4 bits, a half-precision scale and minimum; q d + m. The head holds d and -m.
#pragma once

namespace {

struct Q4_1 {
    static constexpr int ELEMENTS = 32, BYTES = 20, BITS = 4, OFFSET = 0, PARTS = 1;
    static constexpr bool MINIMUM = true;
    static void levels(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 16; i++) {
            q[i] = block[4 + i] & 15;
            q[i + 16] = block[4 + i] >> 4;
        }
    }
    static float scale(const uint8_t* block, int) { return half_to_float(read_u16(block)); }
    static float minimum(const uint8_t* block, int) { return -half_to_float(read_u16(block + 2)); }
    static constexpr int head(int groups) { return 64 * groups; }
    static void store(uint8_t* head, int group, int lane, const uint8_t* block) {
        write_u16(head + 64 * group + 2 * lane, read_u16(block));
        write_u16(head + 64 * group + 32 + 2 * lane, read_u16(block + 2) ^ 0x8000);
    }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        s->scale[0] = f_half(head + 64 * group);
        s->minimum = f_half(head + 64 * group + 32);
    }
};

}  // namespace
