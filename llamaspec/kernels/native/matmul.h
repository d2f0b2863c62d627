#pragma once
#include "pack.h"
#include "table.h"

// One product of several: y[rows, w->rows] = x w^T (+ bias) (+ residual).
struct Product {
    const Packed* w;
    float* y;
    int64_t ldy;
    const float* bias;      // [w->rows] or null
    const float* residual;  // [rows, w->rows] in steps of ld_residual, or null; may be y
    int64_t ld_residual;
    int64_t matrix;  // of a stack
};

// Products that share x. False: out of memory.
bool multiply(const Kernels* kernels, const float* x, int64_t ldx, int64_t rows, const Product* products, int n,
              int threads);

// What multiply is made of, for those that prepare x in another way (experts.cpp, products.cpp).

// Rows in tiles. For tile kernels: as few as possible, of sizes that differ by at most one. For a wide kernel: of 16
// places each, the last of them empty perhaps.
struct Tiling {
    int64_t rows, tiles;
    bool wide;
    int64_t first(int64_t tile) const { return wide ? tile * WIDE_TILE : rows * tile / tiles; }
    int size(int64_t tile) const { return (int)((tile + 1 < tiles ? first(tile + 1) : rows) - first(tile)); }
    int places(int64_t tile) const { return wide ? WIDE_TILE : size(tile); }
    int64_t all_places() const { return wide ? tiles * WIDE_TILE : rows; }
};
Tiling tiling_of(const Kernels* kernels, const Packed* w, int64_t rows);

// x as the kernels want it, in tiles: record (g, row) of a tile is at g * places + row.
struct Prepared {
    Tiling tiling;
    int64_t bytes_per_row;
    uint8_t* data;
    uint8_t* tile(int64_t i) const { return data + tiling.first(i) * bytes_per_row; }
    int64_t bytes() const { return tiling.all_places() * bytes_per_row; }
};
int64_t record_bytes(const Packed* w);  // of one row and one of w->length groups or quads
bool same_preparation(const Packed* a, const Packed* b);
Prepared plan_tiles(const Kernels* kernels, const Packed* w, int64_t rows, uint8_t* data);
void prepare_tile(const Kernels* kernels, const float* x, int64_t ldx, const Packed* w, const Prepared& to,
                  int64_t tile);

// Products of prepared rows, whose panels are numbered through and shared by all threads. False: out of memory.
struct Job {
    const Prepared* x;
    Product product;
};
bool multiply_jobs(const Kernels* kernels, const Job* jobs, int64_t n, int threads);

constexpr int64_t PREPARE_ALONE = 16384;  // values of x that one thread prepares faster than two
