// MXFP4: 32 floats of 4 bits, doubled, and the exponent e of a power of two; q 2^(e - 128).
//
// Head of a chunk of g groups: 16 g bytes of exponents. Products take e = 0 for a scale of zero, not 2^-128, and
// e = 255 for infinity.
#pragma once

namespace {

struct SmallFloats {  // a sign, 2 bits of exponent, 1 of mantissa; doubled, plus 12
    static constexpr uint8_t QUANTS[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};
};

struct MXFP4 {
    typedef MXFP4 Form;
    typedef TableBody<4, SmallFloats> Layout;
    static constexpr int ELEMENTS = 32, BYTES = 17, OFFSET = 12, PARTS = 1;
    static constexpr bool MINIMUM = false;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 16; i++) {
            q[i] = block[1 + i] & 15;
            q[i + 16] = block[1 + i] >> 4;
        }
    }
    static float scale(const uint8_t* block, int) {
        uint32_t e = block[0];
        return bits_to_float(e < 2 ? 0x200000u << e : (e - 1) << 23);
    }
    static float minimum(const uint8_t*, int) { return 0; }
    static constexpr int head(int groups) { return (16 * groups + 63) / 64 * 64; }
    static void store(uint8_t* head, int group, int lane, const uint8_t* block) { head[16 * group + lane] = block[0]; }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        s->scale[0] = f_mul(f_powers(head + 16 * group), f_set(0.5f));
    }
};

}  // namespace
