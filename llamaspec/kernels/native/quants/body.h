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
//
// What every body offers:
//   BYTES                            of a group
//   MOST                             the largest quant
//   SIMPLE                           a quad takes a shift and a mask at most
//   place(body, lane, quad, quants)  puts the four quants of a quad, or their places in the table, into zeros
//   quant(packed)                    what was placed, as a quant
//   quad<j>(body)                    quad j; quants above 127 (WIDE) less 128 where SIGNED_BYTES
#pragma once
#include <stdint.h>
#include <string.h>

namespace {

template <int BITS>
struct Body;

INLINE uint8_t* word_at(uint8_t* vectors, int vector, int lane) { return vectors + 64 * vector + 4 * lane; }

INLINE void add_word(uint8_t* at, uint32_t more) {
    uint32_t word;
    memcpy(&word, at, 4);
    word |= more;
    memcpy(at, &word, 4);
}

// Four bits, pairs or nibbles, each the lowest of its byte in a word.
INLINE void place_bits(uint8_t* body, int lane, int quad, uint32_t bits) {
    add_word(word_at(body, 0, lane), (bits & 0x01010101) << quad);
}

INLINE void place_pairs(uint8_t* body, int lane, int quad, uint32_t pairs) {
    add_word(word_at(body, quad / 4, lane), (pairs & 0x03030303) << (2 * (quad % 4)));
}

INLINE void place_nibbles(uint8_t* body, int lane, int quad, uint32_t nibbles) {
    add_word(word_at(body, quad / 2, lane), (nibbles & 0x0F0F0F0F) << (4 * (quad % 2)));
}

template <int J>
INLINE B pair_quad(const uint8_t* body) {
    return b_field<-2 * (J % 4), 3>(b_load(body + 64 * (J / 4)));
}

template <int J>
INLINE B nibble_quad(const uint8_t* body) {
    return b_field<-4 * (J % 2), 15>(b_load(body + 64 * (J / 2)));
}

// The same with what `place_bit` or `place_pair` put at `more` on top, from bit AT.
template <int J, int AT>
INLINE B with_bit(B quad, const uint8_t* more) {
    return b_with<AT - J, 1 << AT>(quad, b_load(more));
}

template <int J, int AT>
INLINE B with_pair(B quad, const uint8_t* more) {
    return b_with<AT - 2 * (J % 4), 3 << AT>(quad, b_load(more + 64 * (J / 4)));
}

template <int BITS>
struct EvenBody {
    static constexpr bool WIDE = BITS == 8;  // quants above 127 occur
    static constexpr bool SIMPLE = (BITS & (BITS - 1)) == 0;
    static constexpr int MOST = BITS == 1 ? 2 : (1 << BITS) - 1;
    static int quant(int packed) { return packed; }
};

template <>
struct Body<1> : EvenBody<1> {
    static constexpr int BYTES = 64;
    static void place(uint8_t* body, int lane, int quad, uint32_t quants) { place_bits(body, lane, quad, quants >> 1); }
    template <int J>
    static INLINE B quad(const uint8_t* body) {
        return b_field<1 - J, 2>(b_load(body));
    }
};

template <>
struct Body<2> : EvenBody<2> {
    static constexpr int BYTES = 128;
    static void place(uint8_t* body, int lane, int quad, uint32_t quants) { place_pairs(body, lane, quad, quants); }
    template <int J>
    static INLINE B quad(const uint8_t* body) {
        return pair_quad<J>(body);
    }
};

template <>
struct Body<3> : EvenBody<3> {
    static constexpr int BYTES = 192;
    static void place(uint8_t* body, int lane, int quad, uint32_t quants) {
        place_pairs(body, lane, quad, quants);
        place_bits(body + 128, lane, quad, quants >> 2);
    }
    template <int J>
    static INLINE B quad(const uint8_t* body) {
        return with_bit<J, 2>(pair_quad<J>(body), body + 128);
    }
};

template <>
struct Body<4> : EvenBody<4> {
    static constexpr int BYTES = 256;
    static void place(uint8_t* body, int lane, int quad, uint32_t quants) { place_nibbles(body, lane, quad, quants); }
    template <int J>
    static INLINE B quad(const uint8_t* body) {
        return nibble_quad<J>(body);
    }
};

template <>
struct Body<5> : EvenBody<5> {
    static constexpr int BYTES = 320;
    static void place(uint8_t* body, int lane, int quad, uint32_t quants) {
        place_nibbles(body, lane, quad, quants);
        place_bits(body + 256, lane, quad, quants >> 4);
    }
    template <int J>
    static INLINE B quad(const uint8_t* body) {
        return with_bit<J, 4>(nibble_quad<J>(body), body + 256);
    }
};

template <>
struct Body<6> : EvenBody<6> {
    static constexpr int BYTES = 384;
    static void place(uint8_t* body, int lane, int quad, uint32_t quants) {
        place_nibbles(body, lane, quad, quants);
        place_pairs(body + 256, lane, quad, quants >> 4);
    }
    template <int J>
    static INLINE B quad(const uint8_t* body) {
        return with_pair<J, 4>(nibble_quad<J>(body), body + 256);
    }
};

template <>
struct Body<8> : EvenBody<8> {
    static constexpr int BYTES = 512;
    static void place(uint8_t* body, int lane, int quad, uint32_t quants) {
        add_word(word_at(body, quad, lane), quants ^ 0x80808080);
    }
    template <int J>
    static INLINE B quad(const uint8_t* body) {
        return SIGNED_BYTES ? b_load(body + 64 * J) : b_flip(b_load(body + 64 * J));
    }
};

constexpr int largest(const uint8_t* quants, int n) {
    int most = 0;
    for (int i = 0; i < n; i++)
        if (quants[i] > most) most = quants[i];
    return most;
}

// Places of BITS bits in Table::QUANTS, 16 unsigned bytes.
template <int BITS, class Table>
struct TableBody : Body<BITS> {
    static constexpr bool SIMPLE = false;
    static constexpr int MOST = largest(Table::QUANTS, 16);
    static constexpr bool WIDE = MOST > 127;
    static int quant(int place) { return Table::QUANTS[place]; }
    template <int J>
    static INLINE B quad(const uint8_t* body) {
        B table = b_repeat(Table::QUANTS);
        return b_lookup(WIDE && SIGNED_BYTES ? b_flip(table) : table, Body<BITS>::template quad<J>(body));
    }
};

// All quads of a group.
template <class Layout, int J = 0>
INLINE void unpack(const uint8_t* body, B* w) {
    w[J] = Layout::template quad<J>(body);
    if constexpr (J < 7) unpack<Layout, J + 1>(body, w);
}

}  // namespace
