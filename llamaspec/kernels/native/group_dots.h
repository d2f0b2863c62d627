// Sums of products of a group where one instruction multiplies four bytes and adds them in 32 bits, and registers hold
// a whole group of quants.
#pragma once
#include "quantize_rows.h"
#include "quants/all.h"

namespace {

template <class Q>
struct Group {
    B w[8];
    INLINE explicit Group(const uint8_t* body) { unpack<typename Q::Layout>(body, w); }
};

// sums[r] += quads [FROM, TO) of ROWS rows. The rows take turns, so that no sum waits for its own last product.
template <bool WIDE, int FROM, int TO, int ROWS>
INLINE void dot_quads(const B* w, const Q8Group* x, I* sums) {
#pragma GCC unroll 8
    for (int j = FROM; j < TO; j++)
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++)
            sums[r] = WIDE ? i_dot_wide(sums[r], w[j], x[r].q + 4 * j) : i_dot(sums[r], w[j], x[r].q + 4 * j);
}

// sums [ROWS] = products of a part of the group and ROWS rows, quants less OFFSET.
template <class Q, int PART, int ROWS>
INLINE void multiply_part(const Group<Q>& group, const Q8Group* x, I* sums) {
    constexpr bool WIDE = Q::Layout::WIDE, OFFSET = Q::OFFSET && !(WIDE && SIGNED_BYTES);
    constexpr int QUADS = 8 / Q::PARTS;
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) sums[r] = i_set(OFFSET ? x[r].start[PART] : 0);
    dot_quads<WIDE, PART * QUADS, (PART + 1) * QUADS, ROWS>(group.w, x, sums);
}

}  // namespace
