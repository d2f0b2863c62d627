// A weight matrix, or a stack of matrices of one shape, in the layout of the tile kernels.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct Arena;

struct Packed {
    int type, offset, parts;  // offset and parts: how x is rounded for it (parts 0: not rounded)
    int64_t rows, columns;    // of each matrix
    int64_t length;           // groups of 32 columns, or quads of 4 for float types
    int64_t panel_bytes, panels;
    int64_t count;  // matrices, one behind the other
    uint8_t* data;
    Arena* arena;

    const uint8_t* panel(int64_t matrix, int64_t i) const { return data + (matrix * panels + i) * panel_bytes; }
    int64_t bytes() const { return count * panels * panel_bytes; }
};

// bytes: [count, rows] rows as the file holds them. arena null: memory of its own. Null: out of memory, unknown type.
Packed* pack(Arena* arena, int type, const uint8_t* bytes, int64_t count, int64_t rows, int64_t columns, int threads,
             bool mapped);
void unpack_row(int type, const uint8_t* row, int64_t columns, float* out);  // a row as the file holds it
int64_t row_bytes(int type, int64_t columns);                                // 0: unknown type, or not whole blocks
void release(Packed* packed);
