// A group of a tile where there are 16 registers of half the lanes: two quads at a time meet four rows (TOGETHER).
//
// Without an instruction that adds products of bytes in 32 bits (VNNI), sums stay in 16 bits for as many quads as the
// largest quant allows: they are whole numbers, so their order does not matter. Quants above 127 are signed then, and
// their signs move to x.
#pragma once

namespace {

// Quads that are unpacked when they are needed.
template <class Layout>
struct FromBody {
    const uint8_t* body;
    INLINE explicit FromBody(const uint8_t* body) : body(body) {}
    template <int J>
    INLINE B quad() const {
        return Layout::template quad<J>(body);
    }
    INLINE void forget() { asm("" : "+r"(body)); }  // that they were unpacked: storing them takes longer
};

// Quads that are unpacked once for all batches of rows.
template <class Layout>
struct Unpacked {
    B w[8];
    INLINE explicit Unpacked(const uint8_t* body) { unpack<Layout>(body, w); }
    template <int J>
    INLINE B quad() const {
        return w[J];
    }
    INLINE void forget() {}
};

template <class Layout, bool ONCE>
struct Quads {
    typedef FromBody<Layout> Type;
};
template <class Layout>
struct Quads<Layout, true> {
    typedef Unpacked<Layout> Type;
};

// Whether quads' sums of two products fit into 16 bits if so many are added; x is within 127.
template <class Q>
constexpr bool fits(int quads) { return quads * 2 * 127 * Q::Layout::MOST <= 32767; }
template <class Q>
constexpr bool narrow() { return !VNNI && fits<Q>(8 / Q::PARTS); }  // sums of a whole part stay in 16 bits
template <class Q>
constexpr bool is_signed() { return Q::Layout::WIDE && SIGNED_BYTES; }

// sums[r] += quads J and J + 1 of ROWS rows, in 16 bits or 32.
template <class Q, int J, int ROWS, class From>
INLINE void add_two_quads(const From& quads, const Q8Group* x, I* sums) {
    B w = quads.template quad<J>(), v = quads.template quad<J + 1>();
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        const int8_t *at_w = x[r].q + 4 * J, *at_v = at_w + 4;
        if (narrow<Q>()) sums[r] = i16_add(i16_add(sums[r], i16_dot(w, at_w)), i16_dot(v, at_v));
        else if (!VNNI && fits<Q>(2)) sums[r] = i_add(sums[r], i16_widen(i16_add(i16_dot(w, at_w), i16_dot(v, at_v))));
        else sums[r] = i_dot(i_dot(sums[r], w, at_w), v, at_v);
    }
}

template <int J, int ROWS, class From>
INLINE void add_signed_quad(const From& quads, const Q8Group* x, I* sums) {
    B w = quads.template quad<J>(), size = b_abs(w);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) sums[r] = i_add(sums[r], i16_widen(i16_dot_signed(w, size, x[r].q + 4 * J)));
}

template <class Q, int J, int TO, int ROWS, class From>
INLINE void add_quads(const From& quads, const Q8Group* x, I* sums) {
    constexpr int NEXT = J + (is_signed<Q>() ? 1 : 2);
    if constexpr (is_signed<Q>()) add_signed_quad<J, ROWS>(quads, x, sums);
    else add_two_quads<Q, J, ROWS>(quads, x, sums);
    if constexpr (NEXT < TO) add_quads<Q, NEXT, TO, ROWS>(quads, x, sums);
}

// sums [ROWS] = products of a part of the group and ROWS rows, quants less OFFSET.
template <class Q, int PART, int ROWS, class From>
INLINE void multiply_part(const From& quads, const Q8Group* x, I* sums) {
    constexpr bool OFFSET = Q::OFFSET && !is_signed<Q>();
    constexpr int QUADS = 8 / Q::PARTS;
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) sums[r] = i_set(OFFSET && !narrow<Q>() ? x[r].start[PART] : 0);
    add_quads<Q, PART * QUADS, (PART + 1) * QUADS, ROWS>(quads, x, sums);
    if (!narrow<Q>()) return;
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        sums[r] = i16_widen(sums[r]);
        if (OFFSET) sums[r] = i_add(sums[r], i_set(x[r].start[PART]));
    }
}

template <class Q, int ROWS, class From>
INLINE void add_rows(const From& quads, const Scales& s, const Q8Group* x, F* sums) {
    I first[ROWS], second[ROWS];
    multiply_part<Q, 0, ROWS>(quads, x, first);
    if constexpr (Q::PARTS == 2) multiply_part<Q, 1, ROWS>(quads, x, second);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++)
        sums[r] = add_scaled<Q>(i_float(first[r]), i_float(Q::PARTS == 2 ? second[r] : first[r]), s, x[r], sums[r]);
}

// COUNT batches of ROWS rows each. A loop that stays one: unrolled, its batches would share quads through memory.
template <class Q, int COUNT, int ROWS, class From>
INLINE void add_batches(From& quads, const Scales& s, const Q8Group* x, F* sums) {
    if constexpr (COUNT == 1) add_rows<Q, ROWS>(quads, s, x, sums);
    if constexpr (COUNT < 2) return;
    int left = COUNT;
    asm("" : "+r"(left));
    for (; left > 0; left--, x += ROWS, sums += ROWS) {
        add_rows<Q, ROWS>(quads, s, x, sums);
        quads.forget();
    }
}

template <class Q, int ROWS>
INLINE void add_group(const uint8_t* head, const uint8_t* body, int group, const Q8Group* x, F* sums) {
    constexpr int BATCHES = (ROWS + TOGETHER - 1) / TOGETHER, SMALL = ROWS / BATCHES, LARGE = ROWS % BATCHES;
    constexpr bool LOOPS = LARGE > 1 || BATCHES - LARGE > 1;
    typename Quads<typename Q::Layout, LOOPS && !Q::Layout::SIMPLE>::Type quads(body);
    Scales s;
    Q::load(head, group, &s);
    add_batches<Q, LARGE, SMALL + 1>(quads, s, x, sums);
    constexpr int DONE = LARGE * (SMALL + 1);
    add_batches<Q, BATCHES - LARGE, SMALL>(quads, s, x + DONE, sums + DONE);
}

}  // namespace
