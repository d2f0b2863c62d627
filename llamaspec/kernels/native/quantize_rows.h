// How the rows of x stand in memory while they are multiplied: by tiles, so that one pointer reaches all rows of a
// tile.
#pragma once
#include <stdint.h>

#include "table.h"

namespace {

// One row and one group of 32 columns, rounded to 8 bits with a scale of its own (as fine as llama.cpp's Q8_0).
struct Q8Group {
    int8_t q[32];
    float d;           // x = q d
    float total;       // d * sum of q: what a minimum is multiplied by
    int32_t start[2];  // -OFFSET * sum of q over each half (PARTS 2), or over the whole group in start[0]
};
static_assert(sizeof(Q8Group) == Q8_GROUP_BYTES, "the tile kernels use fixed steps");

// One row's group. d is not peak / 127 but the factor that fits x best once q is chosen: 3 % less error. NaN and
// infinity reach d, so they are not lost in the rounding.
INLINE void quantize_group(const float* x, int offset, int parts, Q8Group* to) {
    F x_low = f_load(x), x_high = f_load(x + 16);
    float peak = f_peak(f_max(f_abs(x_low), f_abs(x_high)));
    float inverse = peak > 1e-30f ? 127.0f / peak : 0.0f;  // less is zero: no quotient overflows
    F low = f_round(f_mul(x_low, f_set(inverse))), high = f_round(f_mul(x_high, f_set(inverse)));
    float along = f_sum(f_fma(x_low, low, f_mul(x_high, high)));
    float square = f_sum(f_fma(low, low, f_mul(high, high)));  // 0 for zeros and for what is not a number
    i8_store(to->q, low);
    i8_store(to->q + 16, high);
    int32_t sum_low = (int32_t)f_sum(low), sum_high = (int32_t)f_sum(high);  // whole numbers: exact
    to->d = square > 0 ? along / square : along;
    to->total = to->d * (float)(sum_low + sum_high);
    to->start[0] = -offset * (parts == 2 ? sum_low : sum_low + sum_high);
    to->start[1] = parts == 2 ? -offset * sum_high : 0;
}

// Rows [first, first + n) of a tile of `rows` rows: record (group, row) at index group * rows + row.
void quantize_rows(const float* x, int64_t ldx, int rows, int n, int64_t groups, int offset, int parts, uint8_t* tile) {
    for (int row = 0; row < n; row++) {
        Q8Group* to = (Q8Group*)tile + row;
        for (int64_t g = 0; g < groups; g++) quantize_group(x + row * ldx + 32 * g, offset, parts, to + g * rows);
    }
}

// The same for float types: four columns of a row stand together, (columns / 4, row, 4); missing columns are zero.
void copy_rows(const float* x, int64_t ldx, int rows, int n, int64_t columns, uint8_t* tile) {
    for (int row = 0; row < n; row++) {
        const float* from = x + row * ldx;
        float* to = (float*)tile + 4 * row;
        int64_t k = 0;
        for (; k + 4 <= columns; k += 4, to += 4 * rows) memcpy(to, from + k, 16);
        if (k < columns)
            for (int i = 0; i < 4; i++) to[i] = k + i < columns ? from[k + i] : 0.0f;
    }
}

}  // namespace
