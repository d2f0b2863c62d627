// How the quants of 16 rows are laid out so that one 64-byte load serves all of them.
//
// A panel is 16 weight rows. Its columns come in groups of 32; a group is eight quads of four columns, and a quad is
// 64 bytes: four columns of row 0, four of row 1, and so on. Quants are unsigned. Quad j of a group becomes
//   1 bit:  bit j of 64 bytes; a set bit is the quant 2, so that quants less 1 are signs
//   2 bits: bits 2 (j % 4) of byte row j / 4, 128 bytes a group
//   3 bits: the same, then 64 bytes whose bit j is the third bit
//   4 bits: a nibble of byte row j / 2 (low for even j, high for odd j), 256 bytes a group
//   5 bits: the same, then 64 bytes whose bit j is the fifth bit
//   6 bits: the same nibbles, then 128 bytes: bits 2 (j % 4) of half j / 4 are the fifth and sixth bit
//   8 bits: 64 bytes of its own, 512 bytes a group, minus 128: the matrix unit takes them as they are
// Where quants are not evenly spaced, 3 or 4 bits are a place in a table of them (TableBody).
#pragma once
#include <stdint.h>

namespace {

template <int BITS>
struct Body;

INLINE int place_of(int lane, int column) { return 4 * lane + column % 4; }

INLINE void place_bit(uint8_t* body, int lane, int column, int bit) {
    body[place_of(lane, column)] |= (uint8_t)(bit << (column / 4));
}

INLINE void place_pair(uint8_t* body, int lane, int column, int pair) {
    int quad = column / 4;
    body[64 * (quad / 4) + place_of(lane, column)] |= (uint8_t)(pair << (2 * (quad % 4)));
}

INLINE void place_nibble(uint8_t* body, int lane, int column, int quant) {
    int quad = column / 4;
    body[64 * (quad / 2) + place_of(lane, column)] |= (uint8_t)((quant & 15) << (4 * (quad % 2)));
}

// Each quad gets its bit or pair of what `place_bit` or `place_pair` filled, at bit AT.
template <int AT, int J = 0>
INLINE void add_bits(B bits, B* w) {
    w[J] = b_with<AT - J, 1 << AT>(w[J], bits);
    if constexpr (J < 7) add_bits<AT, J + 1>(bits, w);
}

template <int AT, int J = 0>
INLINE void add_pairs(B first, B second, B* w) {
    w[J] = b_with<AT - 2 * (J % 4), 3 << AT>(w[J], J < 4 ? first : second);
    if constexpr (J < 7) add_pairs<AT, J + 1>(first, second, w);
}

template <int J = 0>
INLINE void unpack_bits(B bits, B* w) {
    w[J] = b_field<1 - J, 2>(bits);
    if constexpr (J < 7) unpack_bits<J + 1>(bits, w);
}

template <int J = 0>
INLINE void unpack_pairs(B first, B second, B* w) {
    w[J] = b_field<-2 * (J % 4), 3>(J < 4 ? first : second);
    if constexpr (J < 7) unpack_pairs<J + 1>(first, second, w);
}

INLINE void unpack_nibbles(const uint8_t* body, B* w) {
    for (int j = 0; j < 4; j++) {
        B both = b_load(body + 64 * j);
        w[2 * j] = b_field<0, 15>(both);
        w[2 * j + 1] = b_field<-4, 15>(both);
    }
}

struct EvenBody {
    static constexpr bool WIDE = false;  // quants above 127 occur
    static int quant(int packed) { return packed; }
};

template <>
struct Body<1> : EvenBody {
    static constexpr int BYTES = 64;
    static void place(uint8_t* body, int lane, int column, int quant) { place_bit(body, lane, column, quant >> 1); }
    static INLINE void unpack(const uint8_t* body, B* w) { unpack_bits(b_load(body), w); }
};

template <>
struct Body<2> : EvenBody {
    static constexpr int BYTES = 128;
    static void place(uint8_t* body, int lane, int column, int quant) { place_pair(body, lane, column, quant); }
    static INLINE void unpack(const uint8_t* body, B* w) { unpack_pairs(b_load(body), b_load(body + 64), w); }
};

template <>
struct Body<3> : EvenBody {
    static constexpr int BYTES = 192;
    static void place(uint8_t* body, int lane, int column, int quant) {
        place_pair(body, lane, column, quant & 3);
        place_bit(body + 128, lane, column, quant >> 2);
    }
    static INLINE void unpack(const uint8_t* body, B* w) {
        unpack_pairs(b_load(body), b_load(body + 64), w);
        add_bits<2>(b_load(body + 128), w);
    }
};

template <>
struct Body<4> : EvenBody {
    static constexpr int BYTES = 256;
    static void place(uint8_t* body, int lane, int column, int quant) { place_nibble(body, lane, column, quant); }
    static INLINE void unpack(const uint8_t* body, B* w) { unpack_nibbles(body, w); }
};

template <>
struct Body<5> : EvenBody {
    static constexpr int BYTES = 320;
    static void place(uint8_t* body, int lane, int column, int quant) {
        place_nibble(body, lane, column, quant);
        place_bit(body + 256, lane, column, quant >> 4);
    }
    static INLINE void unpack(const uint8_t* body, B* w) {
        unpack_nibbles(body, w);
        add_bits<4>(b_load(body + 256), w);
    }
};

template <>
struct Body<6> : EvenBody {
    static constexpr int BYTES = 384;
    static void place(uint8_t* body, int lane, int column, int quant) {
        place_nibble(body, lane, column, quant);
        place_pair(body + 256, lane, column, quant >> 4);
    }
    static INLINE void unpack(const uint8_t* body, B* w) {
        unpack_nibbles(body, w);
        add_pairs<4>(b_load(body + 256), b_load(body + 320), w);
    }
};

template <>
struct Body<8> : EvenBody {
    static constexpr int BYTES = 512;
    static constexpr bool WIDE = true;
    static void place(uint8_t* body, int lane, int column, int quant) {
        body[64 * (column / 4) + place_of(lane, column)] = (uint8_t)(quant ^ 0x80);
    }
    static INLINE void unpack(const uint8_t* body, B* w) {
        for (int j = 0; j < 8; j++) w[j] = SIGNED_BYTES ? b_load(body + 64 * j) : b_flip(b_load(body + 64 * j));
    }
};

// Places of BITS bits in Table::QUANTS, 16 unsigned bytes; Table::WIDE: quants above 127 are among them.
template <int BITS, class Table>
struct TableBody : Body<BITS> {
    static constexpr bool WIDE = Table::WIDE;
    static int quant(int place) { return Table::QUANTS[place]; }
    static INLINE void unpack(const uint8_t* body, B* w) {
        Body<BITS>::unpack(body, w);
        B table = b_repeat(Table::QUANTS);
        if (WIDE && SIGNED_BYTES) table = b_flip(table);
        for (int j = 0; j < 8; j++) w[j] = b_lookup(table, w[j]);
    }
};

}  // namespace
