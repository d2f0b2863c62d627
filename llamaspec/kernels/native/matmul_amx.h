// A panel times many rows in the matrix unit of Intel's servers: quants are unpacked once, then tiles of 16 rows
// follow. The sums of a group are whole numbers, and they are scaled and added as in matmul_tile.h, so a row has the
// same bits whichever unit computes it. (While the matrix unit is in use the vector unit has half its speed: fewer rows
// do not pay.)
#pragma once
#include "matmul_tile.h"

namespace {

struct alignas(64) TileShape {  // operand of ldtilecfg
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

// Tiles 0 and 1: sums [16, 16] int32. 2 and 3: x [16 rows, 32 or 16 columns]. 4 and 5: quants [8 or 4 quads, 64 bytes].
template <int PARTS>
INLINE void shape_tiles() {
    TileShape shape;
    memset(&shape, 0, sizeof shape);
    shape.palette = 1;
    for (int t = 0; t < 2; t++) {
        shape.row_bytes[t] = 64, shape.rows[t] = WIDE_TILE;
        shape.row_bytes[2 + t] = 32 / PARTS, shape.rows[2 + t] = WIDE_TILE;
        shape.row_bytes[4 + t] = 64, shape.rows[4 + t] = 8 / PARTS;
    }
    asm volatile("ldtilecfg %0" ::"m"(shape) : "memory");
}

#define LOAD_TILE(tile, at, step) \
    asm volatile("tileloadd (%0,%1,1), %%tmm" #tile ::"r"(at), "r"((int64_t)(step)) : "memory")
#define STORE_TILE(tile, at) asm volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(at), "r"((int64_t)64) : "memory")
#define ZERO_TILE(tile) asm volatile("tilezero %%tmm" #tile ::)
#define MULTIPLY_TILES(sums, x, quants) asm volatile("tdpbssd %%tmm" #quants ", %%tmm" #x ", %%tmm" #sums ::)

// whole [PARTS, 16, 16] = x times the quants of one group
template <class Q>
INLINE void multiply_group(const uint8_t* quants, const Q8Group* x, int32_t* whole) {
    ZERO_TILE(0);
    LOAD_TILE(2, x->q, sizeof(Q8Group));
    LOAD_TILE(4, quants, 64);
    MULTIPLY_TILES(0, 2, 4);
    STORE_TILE(0, whole);
    if (Q::PARTS == 1) return;
    ZERO_TILE(1);
    LOAD_TILE(3, x->q + 16, sizeof(Q8Group));
    LOAD_TILE(5, quants + 256, 64);
    MULTIPLY_TILES(1, 3, 5);
    STORE_TILE(1, whole + 256);
}

template <class Q>
INLINE void scale_group(const uint8_t* head, int group, const Q8Group* x, const int32_t* whole, F* sums) {
    Scales s;
    Q::load(head, group, &s);
#pragma GCC unroll 16
    for (int m = 0; m < WIDE_TILE; m++) {
        F first = i_float(_mm512_load_si512(whole + 16 * m));
        F second = Q::PARTS == 2 ? i_float(_mm512_load_si512(whole + 256 + 16 * m)) : first;
        sums[m] = add_scaled<Q>(first, second, s, x[m], sums[m]);
    }
}

// quants [length, 512]: signed, as the matrix unit takes them.
template <class Q>
void unpack_panel(const uint8_t* panel, int64_t length, uint8_t* quants) {
    for (int64_t done = 0; done < length; done += CHUNK) {
        int groups = length - done < CHUNK ? (int)(length - done) : CHUNK;
        prefetch(panel, Q::head(groups));
        panel += Q::head(groups);
        for (int g = 0; g < groups; g++, panel += Q::Layout::BYTES, quants += 512) {
            prefetch(panel, Q::Layout::BYTES);
            B w[8];
            unpack<typename Q::Layout>(panel, w);
#pragma GCC unroll 8
            for (int j = 0; j < 8; j++)
                _mm512_store_si512(quants + 64 * j,
                                   Q::OFFSET ? _mm512_sub_epi8(w[j], _mm512_set1_epi8((char)Q::OFFSET)) : w[j]);
        }
    }
}

// Sums are scaled LAG groups after they were made: vectors cannot be loaded from tiles that are on their way to memory.
template <class Q>
void wide_tile(const uint8_t* panel, int64_t length, const uint8_t* quants, const Q8Group* x, int rows,
               const Output& out) {
    constexpr int LAG = 3, RING = 4;
    alignas(64) int32_t whole[RING][Q::PARTS * 256];
    F sums[WIDE_TILE];
#pragma GCC unroll 16
    for (int m = 0; m < WIDE_TILE; m++) sums[m] = f_set(0);
    const uint8_t* head = panel;
    int groups = length < CHUNK ? (int)length : CHUNK, group = 0;  // of the chunk at `head`, where scaling is
    for (int64_t i = 0; i < length + LAG; i++) {
        if (i < length) multiply_group<Q>(quants + 512 * i, x + WIDE_TILE * i, whole[i % RING]);
        if (i < LAG) continue;
        int64_t ready = i - LAG;
        scale_group<Q>(head, group, x + WIDE_TILE * ready, whole[ready % RING], sums);
        if (++group < groups) continue;
        head += Q::head(groups) + groups * Q::Layout::BYTES;
        groups = length - ready - 1 < CHUNK ? (int)(length - ready - 1) : CHUNK, group = 0;
    }
#pragma GCC unroll 16
    for (int m = 0; m < WIDE_TILE; m++)
        if (m < rows) finish_row(sums[m], m, out);
}

// x: tiles of 16 rows, the last one filled up. quants: 512 * length bytes to work in.
template <class Q>
void wide_panel(const uint8_t* panel, int64_t length, const uint8_t* x, int64_t rows, const Output& out,
                uint8_t* quants) {
    unpack_panel<Q>(panel, length, quants);
    shape_tiles<Q::PARTS>();
    for (int64_t row = 0; row < rows; row += WIDE_TILE) {
        Output part = out;
        part.y += row * out.ldy;
        if (out.residual) part.residual += row * out.ld_residual;
        int left = rows - row < WIDE_TILE ? (int)(rows - row) : WIDE_TILE;
        wide_tile<Q>(panel, length, quants, (const Q8Group*)x + row * length, left, part);
    }
    asm volatile("tilerelease" ::: "memory");
}

}  // namespace
