// One panel of 16 weight rows times one tile of x. The order of the sums of a row depends on nothing but the columns.
#pragma once
#include "quantize_rows.h"
#include "quants/all.h"
#include "table.h"

namespace {

// The last panel of a matrix may have fewer than 16 rows.
__attribute__((noinline)) void finish_part(F sum, int m, const Output& out) {
    float part[PANEL], *y = out.y + m * out.ldy;
    f_store(part, sum);
    for (int lane = 0; lane < out.lanes; lane++) {
        if (out.bias) part[lane] += out.bias[lane];
        if (out.residual) part[lane] += out.residual[m * out.ld_residual + lane];
        y[lane] = part[lane];
    }
}

INLINE void finish_row(F sum, int m, const Output& out) {
    if (out.lanes < PANEL) return finish_part(sum, m, out);
    if (out.bias) sum = f_add(sum, f_load(out.bias));
    if (out.residual) sum = f_add(sum, f_load(out.residual + m * out.ld_residual));
    f_store(out.y + m * out.ldy, sum);
}

template <int ROWS>
INLINE void finish(F* sums, const Output& out) {
#pragma GCC unroll 16
    for (int m = 0; m < ROWS; m++) finish_row(sums[m], m, out);
}

template <int ROWS>
__attribute__((noinline)) void finish_from_memory(F* sums, const Output& out) {  // one copy for all types
    finish<ROWS>(sums, out);
}

// sum plus what the dot products of one group and row stand for: of each half, or of both in `first`.
template <class Q>
INLINE F add_scaled(F first, F second, const Scales& s, const Q8Group& x, F sum) {
    F d = f_set(x.d);
    if (Q::PARTS == 1) {
        sum = f_fma(first, f_mul(s.scale[0], d), sum);
        return Q::MINIMUM ? f_fnma(s.minimum[0], f_set(x.total), sum) : sum;
    }
    F both = f_fma(first, s.scale[0], f_mul(second, s.scale[1]));
    if (Q::MINIMUM) {  // start holds the sums of x (rounding_offset)
        both = f_fnma(s.minimum[0], f_set((float)x.start[0]), both);
        both = f_fnma(s.minimum[1], f_set((float)x.start[1]), both);
    }
    return f_fma(both, d, sum);
}

}  // namespace

// add_group: sums [ROWS] of a tile plus its products with one group.
#ifdef LANES_IN_HALVES
#include "group_by_quads.h"
#else
#include "group_whole.h"
#endif

namespace {

// panel: chunks of up to 8 groups of 32 columns, each a head and the groups' bodies. length: groups.
template <class Q, int ROWS>
void quant_tile(const uint8_t* panel, int64_t length, const uint8_t* tile, const Output& out) {
    const Q8Group* x = (const Q8Group*)tile;
    F sums[ROWS];
#pragma GCC unroll 16
    for (int m = 0; m < ROWS; m++) sums[m] = f_set(0);
    for (int64_t done = 0; done < length; done += CHUNK) {
        int groups = length - done < CHUNK ? (int)(length - done) : CHUNK;
        const uint8_t* body = panel + Q::head(groups);
        prefetch(panel, Q::head(groups));
        for (int g = 0; g < groups; g++) {
            prefetch(body, Q::Layout::BYTES);
            add_group<Q, ROWS>(panel, body, g, x, sums);
            body += Q::Layout::BYTES;
            x += ROWS;
        }
        panel = body;
    }
#ifdef LANES_IN_HALVES
    if constexpr (ROWS > TOGETHER) return finish_from_memory<ROWS>(sums, out);
#endif
    finish<ROWS>(sums, out);
}

// Float weights: quads of four columns, 16 rows each.
struct F32 {
    static constexpr int BYTES = 256;
    static INLINE void load(const uint8_t* at, F* w) {
        for (int j = 0; j < 4; j++) w[j] = f_load((const float*)at + 16 * j);
    }
};
struct F16 {
    static constexpr int BYTES = 128;
    static INLINE void load(const uint8_t* at, F* w) {
        for (int j = 0; j < 4; j++) w[j] = f_half(at + 32 * j);
    }
};
struct BF16 {  // columns 2i and 2i + 1 of a row stand together
    static constexpr int BYTES = 128;
    static INLINE void load(const uint8_t* at, F* w) {
        w[0] = f_bf16_even(at);
        w[1] = f_bf16_odd(at);
        w[2] = f_bf16_even(at + 64);
        w[3] = f_bf16_odd(at + 64);
    }
};

template <class P, int ROWS>
void plain_tile(const uint8_t* panel, int64_t length, const uint8_t* tile, const Output& out) {
    const float* x = (const float*)tile;
    F sums[ROWS][CHAINS];
#pragma GCC unroll 16
    for (int m = 0; m < ROWS; m++)
#pragma GCC unroll 4
        for (int c = 0; c < CHAINS; c++) sums[m][c] = f_set(0);
    for (int64_t quad = 0; quad < length; quad++) {
        prefetch(panel, P::BYTES);
        F w[4];
        P::load(panel, w);
#pragma GCC unroll 16
        for (int m = 0; m < ROWS; m++)
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) sums[m][j % CHAINS] = f_fma(w[j], f_set(x[4 * m + j]), sums[m][j % CHAINS]);
        panel += P::BYTES;
        x += 4 * ROWS;
    }
    F total[ROWS];
#pragma GCC unroll 16
    for (int m = 0; m < ROWS; m++) {
        F sum = CHAINS == 4 ? f_add(f_add(sums[m][0], sums[m][2 % CHAINS]), f_add(sums[m][1], sums[m][3 % CHAINS]))
                            : f_add(sums[m][0], sums[m][1]);
        total[m] = sum;
    }
    finish<ROWS>(total, out);
}

template <class Q, int N>
struct QuantTiles {
    static constexpr TileKernel of(int rows) { return rows == N ? quant_tile<Q, N> : QuantTiles<Q, N - 1>::of(rows); }
};
template <class Q>
struct QuantTiles<Q, 0> {
    static constexpr TileKernel of(int) { return nullptr; }
};
template <class P, int N>
struct PlainTiles {
    static constexpr TileKernel of(int rows) { return rows == N ? plain_tile<P, N> : PlainTiles<P, N - 1>::of(rows); }
};
template <class P>
struct PlainTiles<P, 0> {
    static constexpr TileKernel of(int) { return nullptr; }
};

#define UP_TO_16(OF)                                                                                                  \
    {                                                                                                                 \
        OF(0), OF(1), OF(2), OF(3), OF(4), OF(5), OF(6), OF(7), OF(8), OF(9), OF(10), OF(11), OF(12), OF(13), OF(14), \
            OF(15), OF(16)                                                                                            \
    }
#define QUANT_ROW(number, Q) {number, UP_TO_16((QuantTiles<Q::Form, TILE_ROWS>::of))},
#define PLAIN_ROW(number, P) {number, UP_TO_16((PlainTiles<P, TILE_ROWS_FLOAT>::of))},

}  // namespace
