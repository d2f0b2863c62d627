// Scales in half precision, one for SPAN groups of 32 quants; or one and a minimum for each group.
#pragma once

namespace {

// q d. Head of a chunk of g groups: 32 bytes d for each SPAN groups.
template <class Layout_, int OFFSET_, int SPAN = 1>
struct HalfScaled {
    typedef HalfScaled Form;
    typedef Layout_ Layout;
    static constexpr int OFFSET = OFFSET_, PARTS = 1;
    static constexpr bool MINIMUM = false;
    static constexpr int head(int groups) { return (32 * ((groups + SPAN - 1) / SPAN) + 63) / 64 * 64; }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        s->scale[0] = f_half(head + 32 * (group / SPAN));
    }
};

// AT: where the scale stands in a block.
template <class Layout, int OFFSET, int SPAN = 1, int AT = 0>
struct HalfScale : HalfScaled<Layout, OFFSET, SPAN> {
    static constexpr int ELEMENTS = 32 * SPAN;
    static float scale(const uint8_t* block, int) { return half_to_float(read_u16(block + AT)); }
    static float minimum(const uint8_t*, int) { return 0; }
    static void store(uint8_t* head, int group, int lane, const uint8_t* block) {
        write_u16(head + 32 * (group / SPAN) + 2 * lane, read_u16(block + AT));
    }
};

// q d + m. Head: per group 32 bytes d, 32 bytes -m.
template <class Layout_>
struct HalfScaleAndMinimum {
    typedef HalfScaleAndMinimum Form;
    typedef Layout_ Layout;
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
        s->minimum[0] = f_half(head + 64 * group + 32);
    }
};

}  // namespace
