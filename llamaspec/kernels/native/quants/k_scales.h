// The 6-bit scales and minima that Q4_K and Q5_K share: 8 of each in 12 bytes, and their two half-precision factors.
//
// Head of a chunk of g <= 8 groups: 32 bytes d, 32 bytes dmin, 16 g bytes of scales, 16 g bytes of minima.
#pragma once

namespace {

template <class Layout_>
struct KScales {
    typedef KScales Form;
    typedef Layout_ Layout;
    static constexpr int ELEMENTS = 256, OFFSET = 0, PARTS = 1;
    static constexpr bool MINIMUM = true;
    static int scale_level(const uint8_t* s, int i) {
        return i < 4 ? s[i] & 63 : (s[i + 4] & 15) | (s[i - 4] >> 6) << 4;
    }
    static int minimum_level(const uint8_t* s, int i) {
        return i < 4 ? s[i + 4] & 63 : (s[i + 4] >> 4) | (s[i] >> 6) << 4;
    }
    static float scale(const uint8_t* block, int i) {
        return half_to_float(read_u16(block)) * (float)scale_level(block + 4, i);
    }
    static float minimum(const uint8_t* block, int i) {
        return half_to_float(read_u16(block + 2)) * (float)minimum_level(block + 4, i);
    }
    static constexpr int head(int groups) { return (64 + 32 * groups + 63) / 64 * 64; }
    static void store(uint8_t* head, int, int lane, const uint8_t* block) {
        write_u16(head + 2 * lane, read_u16(block));
        write_u16(head + 32 + 2 * lane, read_u16(block + 2));
        for (int i = 0; i < 8; i++) {
            head[64 + 32 * i + lane] = (uint8_t)scale_level(block + 4, i);
            head[80 + 32 * i + lane] = (uint8_t)minimum_level(block + 4, i);
        }
    }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        s->scale[0] = f_mul(f_half(head), f_bytes(head + 64 + 32 * group));
        s->minimum[0] = f_mul(f_half(head + 32), f_bytes(head + 80 + 32 * group));
    }
};

}  // namespace
