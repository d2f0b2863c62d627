// What the IQ1, IQ2 and IQ3 types have in common: runs of 4 or 8 weights are entries of a codebook.
//
// A codebook holds ranks of magnitudes (of IQ1: of -1, 0, 1), not the magnitudes. Python hands them over before the
// first matrix of a type is packed (codebooks.py); codebook.cpp keeps them.
#pragma once
#include <stdint.h>

#include "../half.h"

extern uint8_t iq1_s_book[2048 * 8], iq1_m_book[2048 * 8], iq2_xxs_book[256 * 8], iq2_xs_book[512 * 8],
    iq2_s_book[1024 * 8], iq3_xxs_book[256 * 4], iq3_s_book[512 * 4];

namespace {

// Ranks of `width` magnitudes become places in a table of 2 * HALF quants in order; set bits of `signs` are negative.
template <int HALF>
inline void signed_places(const uint8_t* ranks, int width, int signs, uint8_t* q) {
    for (int i = 0; i < width; i++) q[i] = (uint8_t)((signs >> i) & 1 ? HALF - 1 - ranks[i] : HALF + ranks[i]);
}

// The eighth of eight signs makes the number of negative ones even.
inline int eight_signs(uint32_t seven) { return (int)((seven & 127) | (uint32_t)__builtin_parity(seven & 127) << 7); }

inline uint32_t read_u32(const uint8_t* at) { return read_u16(at) | (uint32_t)read_u16(at + 2) << 16; }

}  // namespace
