// How the levels of 16 rows are laid out so that one 64-byte load serves all of them.
//
// A panel is 16 weight rows. Its columns come in groups of 32; a group is eight quads of four columns, and a quad is
// 64 bytes: four columns of row 0, four of row 1, and so on. Levels are unsigned. Quad j of a group becomes
//   4 bits: a nibble of byte row j / 2 (low for even j, high for odd j), 256 bytes a group
//   5 bits: the same, then 64 bytes whose bit j is the fifth bit
//   6 bits: the same nibbles, then 128 bytes: bits 2 (j % 4) of half j / 4 are the fifth and sixth bit
//   8 bits: 64 bytes of its own, 512 bytes a group
#pragma once
#include <stdint.h>

namespace {

template <int BITS> struct Body;

inline int place_of(int lane, int column) { return 4 * lane + column % 4; }

inline void place_nibble(uint8_t* body, int lane, int column, int level) {
    int quad = column / 4;
    body[64 * (quad / 2) + place_of(lane, column)] |= (uint8_t)((level & 15) << (4 * (quad % 2)));
}

inline void unpack_nibbles(const uint8_t* body, B* w) {
    for (int j = 0; j < 4; j++) {
        B both = b_load(body + 64 * j);
        w[2 * j] = b_low4(both);
        w[2 * j + 1] = b_high4(both);
    }
}

template <> struct Body<4> {
    static constexpr int BYTES = 256;
    static constexpr bool WIDE = false;
    static void place(uint8_t* body, int lane, int column, int level) { place_nibble(body, lane, column, level); }
    static inline void unpack(const uint8_t* body, B* w) { unpack_nibbles(body, w); }
};

template <> struct Body<5> {
    static constexpr int BYTES = 320;
    static constexpr bool WIDE = false;
    static void place(uint8_t* body, int lane, int column, int level) {
        place_nibble(body, lane, column, level);
        body[256 + place_of(lane, column)] |= (uint8_t)((level >> 4) << (column / 4));
    }
    static inline void unpack(const uint8_t* body, B* w) {
        unpack_nibbles(body, w);
        B bits = b_load(body + 256);
        w[0] = b_or(w[0], b_bit<0>(bits));
        w[1] = b_or(w[1], b_bit<1>(bits));
        w[2] = b_or(w[2], b_bit<2>(bits));
        w[3] = b_or(w[3], b_bit<3>(bits));
        w[4] = b_or(w[4], b_bit<4>(bits));
        w[5] = b_or(w[5], b_bit<5>(bits));
        w[6] = b_or(w[6], b_bit<6>(bits));
        w[7] = b_or(w[7], b_bit<7>(bits));
    }
};

template <> struct Body<6> {
    static constexpr int BYTES = 384;
    static constexpr bool WIDE = false;
    static void place(uint8_t* body, int lane, int column, int level) {
        int quad = column / 4;
        place_nibble(body, lane, column, level);
        body[256 + 64 * (quad / 4) + place_of(lane, column)] |= (uint8_t)((level >> 4) << (2 * (quad % 4)));
    }
    static inline void unpack(const uint8_t* body, B* w) {
        unpack_nibbles(body, w);
        B first = b_load(body + 256), second = b_load(body + 320);
        w[0] = b_or(w[0], b_pair<0>(first));
        w[1] = b_or(w[1], b_pair<1>(first));
        w[2] = b_or(w[2], b_pair<2>(first));
        w[3] = b_or(w[3], b_pair<3>(first));
        w[4] = b_or(w[4], b_pair<0>(second));
        w[5] = b_or(w[5], b_pair<1>(second));
        w[6] = b_or(w[6], b_pair<2>(second));
        w[7] = b_or(w[7], b_pair<3>(second));
    }
};

template <> struct Body<8> {
    static constexpr int BYTES = 512;
    static constexpr bool WIDE = true;
    static void place(uint8_t* body, int lane, int column, int level) {
        body[64 * (column / 4) + place_of(lane, column)] = (uint8_t)level;
    }
    static inline void unpack(const uint8_t* body, B* w) {
        for (int j = 0; j < 8; j++) w[j] = b_load(body + 64 * j);
    }
};

}  // namespace
