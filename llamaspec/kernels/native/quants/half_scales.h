// The scales of blocks of 32 levels: one in half precision (Q4_0, Q5_0, Q8_0), or that and a minimum (Q4_1, Q5_1).
#pragma once

namespace {

// Head of a chunk of g groups: 32 g bytes d.
struct HalfScale {
    static constexpr int ELEMENTS = 32, PARTS = 1;
    static constexpr bool MINIMUM = false;
    static float scale(const uint8_t* block, int) { return half_to_float(read_u16(block)); }
    static float minimum(const uint8_t*, int) { return 0; }
    static constexpr int head(int groups) { return (32 * groups + 63) / 64 * 64; }
    static void store(uint8_t* head, int group, int lane, const uint8_t* block) {
        write_u16(head + 32 * group + 2 * lane, read_u16(block));
    }
    static INLINE void load(const uint8_t* head, int group, Scales* s) { s->scale[0] = f_half(head + 32 * group); }
};

// q d + m. Head: per group 32 bytes d, 32 bytes -m.
struct HalfScaleAndMinimum {
    static constexpr int ELEMENTS = 32, OFFSET = 0, PARTS = 1;
    static constexpr bool MINIMUM = true;
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
