// Q6_K: 256 levels of 6 bits in 16 groups of 16, each with a signed 8-bit scale; (q - 32) (d s).
//
// Head of a chunk of 8 groups of 32: 32 bytes d, 32 bytes unused, 16 bytes of scales per run of 16 columns.
#pragma once

namespace {

struct Q6_K {
    static constexpr int ELEMENTS = 256, BYTES = 210, BITS = 6, OFFSET = 32, PARTS = 2;
    static constexpr bool MINIMUM = false;
    static void levels(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 256; i++) {
            int half = i / 128, quarter = i / 32 % 4, column = i % 32;
            int low = (block[64 * half + quarter % 2 * 32 + column] >> (quarter / 2 * 4)) & 15;
            q[i] = (uint8_t)(low | ((block[128 + 32 * half + column] >> (2 * quarter)) & 3) << 4);
        }
    }
    static float scale(const uint8_t* block, int i) {
        return half_to_float(read_u16(block + 208)) * (float)(int8_t)block[192 + i];
    }
    static float minimum(const uint8_t*, int) { return 0; }
    static constexpr int head(int groups) { return (64 + 32 * groups + 63) / 64 * 64; }
    static void store(uint8_t* head, int, int lane, const uint8_t* block) {
        write_u16(head + 2 * lane, read_u16(block + 208));
        for (int i = 0; i < 16; i++) head[64 + 16 * i + lane] = block[192 + i];
    }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        F d = f_half(head);
        s->scale[0] = f_mul(d, f_signed_bytes(head + 64 + 32 * group));
        s->scale[1] = f_mul(d, f_signed_bytes(head + 80 + 32 * group));
    }
};

}  // namespace
