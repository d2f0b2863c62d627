// A group of a tile where one instruction multiplies bytes and adds them in 32 bits, and where registers have room for
// all of its quads.
#pragma once

namespace {

// sums[r] += quads [FROM, TO) of ROWS rows. The rows take turns, so that no sum waits for its own last product.
template <bool WIDE, int FROM, int TO, int ROWS>
INLINE void dot_quads(const B* w, const Q8Group* x, I* sums) {
#pragma GCC unroll 8
    for (int j = FROM; j < TO; j++)
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++)
            sums[r] = WIDE ? i_dot_wide(sums[r], w[j], x[r].q + 4 * j) : i_dot(sums[r], w[j], x[r].q + 4 * j);
}

template <class Q, int ROWS>
INLINE void add_rows(const B* w, const Scales& s, const Q8Group* x, F* sums) {
    constexpr bool WIDE = Q::Layout::WIDE, OFFSET = Q::OFFSET && !(WIDE && SIGNED_BYTES);
    I first[ROWS], second[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) first[r] = i_set(OFFSET ? x[r].start[0] : 0);
    if (Q::PARTS == 1) {
        dot_quads<WIDE, 0, 8, ROWS>(w, x, first);
    } else {
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) second[r] = i_set(OFFSET ? x[r].start[1] : 0);
        dot_quads<WIDE, 0, 4, ROWS>(w, x, first);
        dot_quads<WIDE, 4, 8, ROWS>(w, x, second);
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
        sums[r] = add_scaled<Q>(i_float(first[r]), i_float(Q::PARTS == 2 ? second[r] : first[r]), s, x[r], sums[r]);
}

template <class Q, int ROWS>
INLINE void add_group(const uint8_t* head, const uint8_t* body, int group, const Q8Group* x, F* sums) {
    B w[8];
    unpack<typename Q::Layout>(body, w);
    Scales s;
    Q::load(head, group, &s);
    constexpr int BATCHES = (ROWS + TOGETHER - 1) / TOGETHER, SMALL = ROWS / BATCHES, LARGE = ROWS % BATCHES;
#pragma GCC unroll 16
    for (int b = 0; b < LARGE; b++) add_rows<Q, SMALL + 1>(w, s, x + b * (SMALL + 1), sums + b * (SMALL + 1));
#pragma GCC unroll 16
    for (int b = 0; b < BATCHES - LARGE; b++)
        add_rows<Q, SMALL>(w, s, x + LARGE + b * SMALL + LARGE * SMALL, sums + LARGE + b * SMALL + LARGE * SMALL);
}

}  // namespace
