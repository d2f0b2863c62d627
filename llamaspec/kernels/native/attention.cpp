#include <string.h>

#include <atomic>

#include "run.h"

namespace {

// A piece of work is some rows of one slot and some query heads of one kv head.
struct Pieces {
    int64_t rows_at_once, heads_at_once, parts, per_row_group, row_groups;
};

Pieces cut(const Attention& a, int threads) {
    int64_t group = a.heads / a.kv_heads, heads = group < HEADS_AT_ONCE ? group : HEADS_AT_ONCE, rows = ROWS_AT_ONCE;
    while (rows > 1 && (rows / 2 >= a.rows || rows * heads > QUERIES_AT_ONCE)) rows /= 2;
    // smaller pieces, until there are enough for all: what they share is read again, which costs less than waiting
    while (rows > 1 && (a.rows + rows - 1) / rows * a.kv_heads < 2 * threads) rows /= 2;
    while (heads > 1 && (a.rows + rows - 1) / rows * a.kv_heads * ((group + heads - 1) / heads) < threads)
        heads = (heads + 1) / 2;
    int64_t parts = (group + heads - 1) / heads;
    return {rows, heads, parts, a.kv_heads * parts, (a.rows + rows - 1) / rows};
}

// Rows of different slots are separate calls.
void attend_rows(const Kernels* kernels, const Attention& a, int64_t first, int64_t end, int64_t kv_head, int64_t head,
                 int64_t n_heads, float* scratch) {
    while (first < end) {
        int64_t next = first + 1;
        while (next < end && a.slots[next] == a.slots[first]) next++;
        kernels->attend(a, first, (int)(next - first), kv_head, head, (int)n_heads, scratch);
        first = next;
    }
}

// What the chosen cells of a row hold, side by side in a plane of its own. False: out of memory.
bool gather(const Plane& from, const CellMap& map, int64_t slot, const int32_t* chosen, int64_t n, Buffer& buffer,
            Plane* to) {
    int64_t bytes = from.cell_step;
    uint8_t* data = buffer.raw(from.heads * n * bytes);
    if (!data) return false;
    *to = {data, 1, from.heads, n, 0, n * bytes, bytes, 0, from.type};
    for (int64_t head = 0; head < from.heads; head++)
        for (int64_t i = 0; i < n; i++)
            memcpy(data + head * to->head_step + i * bytes,
                   from.data + slot * from.slot_step + head * from.head_step + map.cell(chosen[i]) * from.cell_step,
                   (size_t)bytes);
    return true;
}

}  // namespace

bool attend(const Kernels* kernels, const Attention& a, int threads) {
    int64_t group = a.heads / a.kv_heads, seen = 0;
    for (int64_t row = 0; row < a.rows; row++) seen += a.positions[row] + 1;
    if (seen * a.heads * a.width <= ALONE_VALUES) threads = 1;
    Pieces pieces = cut(a, threads);
    int64_t widest = whole_vectors(a.width > a.value_width ? a.width : a.value_width);
    int64_t floats = KV_BLOCK * widest + pieces.rows_at_once * pieces.heads_at_once * (3 * widest + KV_BLOCK + 3);
    std::atomic<bool> done{true};
    auto work = [&](int64_t begin, int64_t end) {
        static thread_local Buffer buffer;
        float* scratch = buffer.floats(floats);
        if (!scratch) {
            done = false;
            return;
        }
        for (int64_t i = begin; i < end; i++) {
            int64_t first = i / pieces.per_row_group * pieces.rows_at_once, last = first + pieces.rows_at_once;
            int64_t kv_head = i % pieces.per_row_group / pieces.parts, head = i % pieces.parts * pieces.heads_at_once;
            int64_t heads = group - head < pieces.heads_at_once ? group - head : pieces.heads_at_once;
            attend_rows(kernels, a, first, last < a.rows ? last : a.rows, kv_head, kv_head * group + head, heads,
                        scratch);
        }
    };
    share(threads, pieces.row_groups * pieces.per_row_group, 1, work);
    return done;
}

// Row by row, over what was chosen for it: a row has the same bits in any company.
static bool attend_chosen(const AttendOp& op, const Run& run, const Attention& all) {
    static thread_local Buffer of_keys, of_values;
    const int64_t zero = 0, used = op.chosen.width, last = used - 1;
    for (int64_t row = 0; row < run.rows; row++) {
        Attention a = all;
        const int32_t* chosen = (const int32_t*)(run.at(op.chosen) + row * op.chosen.step);
        a.q += row * a.q_step, a.out += row * a.out_step, a.rows = 1;
        a.positions += row, a.slots += row, a.lengths += row;
        if (a.paths) a.paths += row * a.path_width;
        if (chosen[0] >= 0) {
            bool prefix = all.k.data == all.v.data;
            CellMap map = run.cell_map(row, all.k);
            if (!gather(all.k, map, run.slots[row], chosen, used, of_keys, &a.k)) return false;
            if (!prefix && !gather(all.v, map, run.slots[row], chosen, used, of_values, &a.v)) return false;
            if (prefix) a.v = a.k;
            a.positions = &last, a.slots = &zero, a.lengths = &used, a.paths = nullptr, a.window = 0;
        }
        if (!attend(run.kernels, a, run.pass.threads)) return false;
    }
    return true;
}

bool run_attend(const AttendOp& op, const Run& run) {
    Attention a = {};
    a.q = run.at(op.q), a.out = run.at(op.y), a.sinks = op.sinks;
    a.positions = run.positions, a.slots = run.slots, a.lengths = run.lengths;
    a.paths = run.paths, a.path_width = run.pass.path_width;
    a.rows = run.rows, a.heads = op.heads, a.kv_heads = op.kv_heads;
    a.width = op.width, a.value_width = op.value_width, a.q_step = op.q.step, a.out_step = op.y.step;
    a.k = run.pass.planes[op.k], a.v = run.pass.planes[op.v];
    a.window = op.window, a.chunked = op.chunked, a.scale = op.scale, a.softcap = op.softcap;
    if (!op.chosen.width) return attend(run.kernels, a, run.pass.threads);
    return attend_chosen(op, run, a);
}
