// 256 quants with one factor and a signed byte per run of 32 / PARTS of them: q (d s).
//
// Head of a chunk of 8 groups of 32: 64 bytes of factors (float32), 16 bytes of scales per run.
#pragma once

namespace {

template <class Layout_, int OFFSET_, int PARTS_>
struct ByteScaled {
    typedef ByteScaled Form;
    typedef Layout_ Layout;
    static constexpr int OFFSET = OFFSET_, PARTS = PARTS_;
    static constexpr bool MINIMUM = false;
    static constexpr int head(int groups) { return (64 + 16 * PARTS * groups + 63) / 64 * 64; }
    static INLINE void load(const uint8_t* head, int group, Scales* s) {
        F factor = f_load((const float*)head);
        for (int part = 0; part < PARTS; part++)
            s->scale[part] = f_mul(factor, f_signed_bytes(head + 64 + 16 * (PARTS * group + part)));
    }
};

// Q offers factor(block) and scale_level(block, i), the byte of the i-th run.
template <class Q, class Layout, int OFFSET, int PARTS>
struct ByteScales : ByteScaled<Layout, OFFSET, PARTS> {
    static constexpr int ELEMENTS = 256;
    static float scale(const uint8_t* block, int i) { return Q::factor(block) * (float)Q::scale_level(block, i); }
    static float minimum(const uint8_t*, int) { return 0; }
    static void store(uint8_t* head, int, int lane, const uint8_t* block) {
        float factor = Q::factor(block);
        memcpy(head + 4 * lane, &factor, 4);
        for (int i = 0; i < 8 * PARTS; i++) head[64 + 16 * i + lane] = (uint8_t)Q::scale_level(block, i);
    }
};

}  // namespace
