// A weight matrix in the layout of the tile kernels.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct Packed {
    int type, offset, parts;  // offset and parts: how x is rounded for it (parts 0: not rounded)
    int64_t rows, columns;
    int64_t length;  // groups of 32 columns, or quads of 4 for float types
    int64_t panel_bytes, panels;
    uint8_t* data;
    size_t bytes;  // mapped
};

Packed* pack(int type, const uint8_t* bytes, int64_t rows, int64_t columns,
             int threads);                                                   // null: out of memory, unknown type
void unpack_row(int type, const uint8_t* row, int64_t columns, float* out);  // a row as the file holds it
int64_t row_bytes(int type, int64_t columns);                                // 0: unknown type, or not whole blocks
void release(Packed* packed);
