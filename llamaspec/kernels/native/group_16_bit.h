// Sums of products of a group where an instruction multiplies bytes and adds two products in 16 bits (AVX2).
//
// Sums stay in 16 bits for as many quads as the largest quant allows: they are whole numbers, so their order does not
// matter. Two quads at a time are unpacked and meet all rows, which with the sums of four rows takes the 16 registers
// that there are. Quants above 127 are signed here, and their signs move to x.
#pragma once
#include "quantize_rows.h"
#include "quants/all.h"

namespace {

template <class Q>
struct Group {
    const uint8_t* body;
    INLINE explicit Group(const uint8_t* body) : body(body) {}
    // Quads whose sums of two products fit into 16 bits; x is within 127.
    static constexpr int FIT = 32767 / (2 * 127 * Q::Layout::MOST), QUADS = 8 / Q::PARTS;
    static constexpr bool NARROW = FIT >= QUADS;
};

// sums[r] += quads J and J + 1 of ROWS rows: 32-bit sums, or 16-bit sums if those of a whole part fit (NARROW).
template <class Q, int J, int ROWS>
INLINE void add_two_quads(const Group<Q>& group, const Q8Group* x, I* sums) {
    B w = Q::Layout::template quad<J>(group.body), v = Q::Layout::template quad<J + 1>(group.body);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        I first = i16_dot(w, x[r].q + 4 * J), second = i16_dot(v, x[r].q + 4 * J + 4);
        if (Group<Q>::NARROW) sums[r] = i16_add(i16_add(sums[r], first), second);
        else if (Group<Q>::FIT >= 2) sums[r] = i_add(sums[r], i16_widen(i16_add(first, second)));
        else sums[r] = i_add(i_add(sums[r], i16_widen(first)), i16_widen(second));
    }
}

template <class Q, int J, int ROWS>
INLINE void add_signed_quad(const Group<Q>& group, const Q8Group* x, I* sums) {
    B w = Q::Layout::template quad<J>(group.body), size = b_abs(w);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) sums[r] = i_add(sums[r], i16_widen(i16_dot_signed(w, size, x[r].q + 4 * J)));
}

template <class Q, int J, int TO, int ROWS>
INLINE void add_quads(const Group<Q>& group, const Q8Group* x, I* sums) {
    constexpr bool SIGNED = Q::Layout::WIDE;
    if constexpr (SIGNED) add_signed_quad<Q, J, ROWS>(group, x, sums);
    else add_two_quads<Q, J, ROWS>(group, x, sums);
    constexpr int NEXT = J + (SIGNED ? 1 : 2);
    if constexpr (NEXT < TO) add_quads<Q, NEXT, TO, ROWS>(group, x, sums);
}

// sums [ROWS] = products of a part of the group and ROWS rows, quants less OFFSET.
template <class Q, int PART, int ROWS>
INLINE void multiply_part(const Group<Q>& group, const Q8Group* x, I* sums) {
    constexpr bool NARROW = Group<Q>::NARROW, OFFSET = Q::OFFSET && !Q::Layout::WIDE;
    constexpr int QUADS = Group<Q>::QUADS;
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) sums[r] = i_set(OFFSET && !NARROW ? x[r].start[PART] : 0);
    add_quads<Q, PART * QUADS, (PART + 1) * QUADS, ROWS>(group, x, sums);
    if (!NARROW) return;
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        sums[r] = i16_widen(sums[r]);
        if (OFFSET) sums[r] = i_add(sums[r], i_set(x[r].start[PART]));
    }
}

}  // namespace
