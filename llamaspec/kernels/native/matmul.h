#pragma once
#include "pack.h"
#include "table.h"

// One product of several that share x: y[rows, w->rows] = x w^T (+ bias) (+ residual).
struct Product {
    const Packed* w;
    float* y;
    int64_t ldy;
    const float* bias;      // [w->rows] or null
    const float* residual;  // [rows, w->rows], steps of ldy, or null; may be y
};

// False: out of memory.
bool multiply(const Kernels* kernels, const float* x, int64_t ldx, int64_t rows, const Product* products, int n,
              int threads);
