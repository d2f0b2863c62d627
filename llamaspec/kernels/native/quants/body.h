// How the levels of 16 rows are laid out so that one 64-byte load serves all of them.
//
// A panel is 16 weight rows. Its columns come in groups of 32; a group is eight quads of four columns, and a quad is
// 64 bytes: four columns of row 0, four of row 1, and so on. Levels are unsigned. Quad j of a group becomes
//   4 bits: a nibble of byte row j / 2 (low for even j, high for odd j), 256 bytes a group
//   5 bits: the same, then 64 bytes whose bit j is the fifth bit
//   6 bits: the same nibbles, then 128 bytes: bits 2 (j % 4) of half j / 4 are the fifth and sixth bit
//   8 bits: 64 bytes of its own, 512 bytes a group, minus 128: the matrix unit takes them as they are
#pragma once
#include <stdint.h>

namespace {

template <int BITS>
struct Body;

INLINE int place_of(int lane, int column) { return 4 * lane + column % 4; }

INLINE void place_nibble(uint8_t* body, int lane, int column, int level) {
    int quad = column / 4;
    body[64 * (quad / 2) + place_of(lane, column)] |= (uint8_t)((level & 15) << (4 * (quad % 2)));
}

INLINE void unpack_nibbles(const uint8_t* body, B* w) {
    for (int j = 0; j < 4; j++) {
        B both = b_load(body + 64 * j);
        w[2 * j] = b_low4(both);
        w[2 * j + 1] = b_high4(both);
    }
}

template <>
struct Body<4> {
    static constexpr int BYTES = 256;
    static constexpr bool WIDE = false;
    static void place(uint8_t* body, int lane, int column, int level) { place_nibble(body, lane, column, level); }
    static INLINE void unpack(const uint8_t* body, B* w) { unpack_nibbles(body, w); }
};

template <>
struct Body<5> {
    static constexpr int BYTES = 320;
    static constexpr bool WIDE = false;
    static void place(uint8_t* body, int lane, int column, int level) {
        place_nibble(body, lane, column, level);
        body[256 + place_of(lane, column)] |= (uint8_t)((level >> 4) << (column / 4));
    }
    static INLINE void unpack(const uint8_t* body, B* w) {
        unpack_nibbles(body, w);
        B bits = b_load(body + 256);
        w[0] = b_with_bit<0>(w[0], bits);
        w[1] = b_with_bit<1>(w[1], bits);
        w[2] = b_with_bit<2>(w[2], bits);
        w[3] = b_with_bit<3>(w[3], bits);
        w[4] = b_with_bit<4>(w[4], bits);
        w[5] = b_with_bit<5>(w[5], bits);
        w[6] = b_with_bit<6>(w[6], bits);
        w[7] = b_with_bit<7>(w[7], bits);
    }
};

template <>
struct Body<6> {
    static constexpr int BYTES = 384;
    static constexpr bool WIDE = false;
    static void place(uint8_t* body, int lane, int column, int level) {
        int quad = column / 4;
        place_nibble(body, lane, column, level);
        body[256 + 64 * (quad / 4) + place_of(lane, column)] |= (uint8_t)((level >> 4) << (2 * (quad % 4)));
    }
    static INLINE void unpack(const uint8_t* body, B* w) {
        unpack_nibbles(body, w);
        B first = b_load(body + 256), second = b_load(body + 320);
        w[0] = b_with_pair<0>(w[0], first);
        w[1] = b_with_pair<1>(w[1], first);
        w[2] = b_with_pair<2>(w[2], first);
        w[3] = b_with_pair<3>(w[3], first);
        w[4] = b_with_pair<0>(w[4], second);
        w[5] = b_with_pair<1>(w[5], second);
        w[6] = b_with_pair<2>(w[6], second);
        w[7] = b_with_pair<3>(w[7], second);
    }
};

template <>
struct Body<8> {
    static constexpr int BYTES = 512;
    static constexpr bool WIDE = true;
    static void place(uint8_t* body, int lane, int column, int level) {
        body[64 * (column / 4) + place_of(lane, column)] = (uint8_t)(level ^ 0x80);
    }
    static INLINE void unpack(const uint8_t* body, B* w) {
        for (int j = 0; j < 8; j++) w[j] = SIGNED_BYTES ? b_load(body + 64 * j) : b_flip(b_load(body + 64 * j));
    }
};

}  // namespace
