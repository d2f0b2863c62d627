// How the operations of a tape see the pass that they run in.
#pragma once
#include "buffer.h"
#include "cell_map.h"
#include "pool.h"
#include "table.h"
#include "tape.h"

constexpr int64_t ALONE_VALUES = 32768;  // element-wise work below this is not worth waking a thread

struct Run {
    const Kernels* kernels;
    const Pass& pass;
    int64_t rows;  // that the operation works on, and where they stand: [rows] each
    const int64_t *cells, *positions, *slots, *lengths;
    const int64_t* paths;  // [rows, pass.path_width] or null

    float* at(const Rows& r) const {
        if (r.data) return r.data;
        if (r.at == OUTPUT) return pass.logits + r.column;
        return pass.arena + pass.rows * r.at + r.column;
    }

    CellMap cell_map(int64_t row, const Plane& plane) const {
        const int64_t* path = paths ? paths + row * pass.path_width : nullptr;
        return {lengths[row], pass.path_width, plane.cells, plane.ring, path};
    }

    // work(begin, end) for pieces of rows, `values` floats each
    template <class Work>
    void by_rows(int64_t values, Work work) const {
        share(rows * values > ALONE_VALUES ? pass.threads : 1, rows, 1 + ALONE_VALUES / 4 / (values + 1), work);
    }

    // work(row, from, to) for pieces of rows of `width` values
    template <class Work>
    void by_values(int64_t width, Work work) const {
        constexpr int64_t PIECE = 4096;
        int64_t pieces = (width + PIECE - 1) / PIECE;
        auto each = [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i++) {
                int64_t from = i % pieces * PIECE, to = from + PIECE < width ? from + PIECE : width;
                work(i / pieces, from, to);
            }
        };
        share(rows * width > ALONE_VALUES ? pass.threads : 1, rows * pieces, 1, each);
    }
};

inline int64_t cell_in(const Plane& plane, int64_t cell) { return plane.ring ? cell % plane.ring : cell; }

// False: out of memory.
bool run_embed(const EmbedOp& op, const Run& run);
bool run_select(const SelectOp& op, const Run& run);
bool run_mark(const MarkOp& op, const Run& run);
bool run_norm(const NormOp& op, const Run& run);
bool run_products(const ProductsOp& op, const Run& run);
bool run_heads(const HeadsOp& op, const Run& run);
bool run_copy(const CopyOp& op, const Run& run);
bool run_rotate(const RotateOp& op, const Run& run);
bool run_append(const AppendOp& op, const Run& run);
bool run_attend(const AttendOp& op, const Run& run);
bool run_gate(const GateOp& op, const Run& run);
bool run_element(const ElementOp& op, const Run& run);
bool run_route(const RouteOp& op, const Run& run);
bool run_experts(const ExpertsOp& op, const Run& run);
bool run_conv(const ConvOp& op, const Run& run);
bool run_delta(const DeltaOp& op, const Run& run);
bool run_decay(const DecayOp& op, const Run& run);
bool run_lookup(const LookupOp& op, const Run& run);
bool run_index(const IndexOp& op, const Run& run);
bool run_temper(const TemperOp& op, const Run& run);

void append_row(const Kernels* kernels, const Plane& plane, int64_t slot, int64_t head, int64_t cell, const float* x,
                int64_t width);
bool attend(const Kernels* kernels, const Attention& a, int threads);  // false: out of memory
