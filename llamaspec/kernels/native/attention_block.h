// Attention: positions are visited in blocks of 64 that begin at multiples of 64, whatever else is in the batch, and
// merged with a running maximum and sum. A branch of a tree is visited in the order of its positions, so it gets the
// bits of plain decoding. Rows of one sequence share the reading of a block where they see the same cells.
#pragma once
#include "gate_row.h"
#include "table.h"

namespace {

struct CellMap {  // of one row: position -> cell
    int64_t length, path_width, cells;
    const int64_t* path;
    int64_t cell(int64_t position) const {
        int64_t cell = position;
        if (path && position >= length) {
            int64_t step = position - length;
            cell = path[step < path_width ? step : path_width - 1];
        }
        return cell < 0 ? 0 : cell < cells ? cell : cells - 1;
    }
};

// One row's share of a piece of work, with n_heads queries. Positions [begin, end) are seen.
struct Row {
    int64_t number, begin, end;
    CellMap map;
    // positions of the block at `from` that are seen, counted from there
    int low(int64_t from) const { return begin > from ? (int)(begin - from) : 0; }
    int high(int64_t from) const { return end - from < KV_BLOCK ? (int)(end - from) : KV_BLOCK; }
};

// Scratch memory of a piece of work; queries are numbered row by row.
struct Scratch {
    float* block;                // [64, width]: keys, then values, as floats
    float *q, *sums, *scores;    // [queries, width], [queries, 2, value width], [queries, 64]
    float *peak, *total, *kept;  // [queries]
    int64_t width, value_width;  // whole vectors
};

void read_q8_0(const uint8_t* blocks, int64_t width, float* to) {
    for (int64_t j = 0; j < width; j += Q8_0_VALUES, blocks += Q8_0_BYTES) {
        F scale = f_set(half_to_float(read_u16(blocks)));
        f_store(to + j, f_mul(f_signed_bytes(blocks + 2), scale));
        f_store(to + j + 16, f_mul(f_signed_bytes(blocks + 18), scale));
    }
}

// Cells of positions [from, from + n) as floats, filled up with zeros to whole vectors.
void read_block(const void* cache, int64_t base, int64_t step, int64_t width, int type, const CellMap& map, int64_t from,
                int n, float* to) {
    int64_t whole = width / 16 * 16, padded = whole_vectors(width);
    for (int i = 0; i < n; i++, to += padded) {
        int64_t at = base + map.cell(from + i) * step;
        if (type == KV_Q8_0) {
            read_q8_0((const uint8_t*)cache + at, width, to);
            continue;
        }
        const uint16_t* halves = (const uint16_t*)cache + at;
        if (type == KV_F16) {
            for (int64_t j = 0; j < whole; j += 16) f_store(to + j, f_half(halves + j));
            for (int64_t j = whole; j < width; j++) to[j] = half_to_float(halves[j]);
        } else if (type == KV_BF16) {
            for (int64_t j = 0; j < width; j++) to[j] = bf16_to_float(halves[j]);
        } else {
            memcpy(to, (const float*)cache + at, (size_t)width * sizeof(float));
        }
        for (int64_t j = width; j < padded; j++) to[j] = 0;
    }
}

// scores[i] = q . keys[i], 16 keys at a time
INLINE void score(const float* keys, int64_t width, const float* q, int low, int high, float* scores) {
    for (int i = low / 16 * 16; i < high; i += 16) {
        F sums[16];
#pragma GCC unroll 16
        for (int j = 0; j < 16; j++) sums[j] = f_set(0);
        for (int64_t at = 0; at < width; at += 16) {
            F part = f_load(q + at);
#pragma GCC unroll 16
            for (int j = 0; j < 16; j++) sums[j] = f_fma(part, f_load(keys + (i + j) * width + at), sums[j]);
        }
        f_store(scores + i, f_sums(sums));
    }
}

// Scores become weights in place, zero where nothing is seen; what was summed before is to be multiplied by `kept`.
INLINE void online_softmax(float* scores, int low, int high, float softcap, float* peak, float* total, float* kept) {
    for (int i = 0; i < low; i++) scores[i] = -INFINITY;
    for (int i = high; i < KV_BLOCK; i++) scores[i] = -INFINITY;
    if (softcap > 0)
        for (int i = low; i < high; i++) scores[i] = softcap * tanhf(scores[i] / softcap);
    F highest = f_load(scores);
    for (int i = 16; i < KV_BLOCK; i += 16) highest = f_max(highest, f_load(scores + i));
    float block_peak = f_peak(highest), before = *peak;
    float now = block_peak > before ? block_peak : before;
    F sum = f_set(0), shift = f_set(now);
    for (int i = 0; i < KV_BLOCK; i += 16) {
        F weight = f_exp(f_sub(f_load(scores + i), shift));
        f_store(scores + i, weight);
        sum = f_add(sum, weight);
    }
    float factor[16];
    f_store(factor, f_exp(f_sub(f_set(before), shift)));
    *kept = factor[0];
    *peak = now;
    *total = *total * factor[0] + f_sum(sum);
}

// sums[odd] = kept * sums[odd] + the weighted values of even and odd positions; N vectors of width at a time
template <int N>
INLINE void accumulate_part(const float* values, int64_t width, const float* weights, int low, int high, float kept,
                       float* sums) {
    F even[N], odd[N];
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) {
        even[j] = f_mul(f_load(sums + 16 * j), f_set(kept));
        odd[j] = f_mul(f_load(sums + width + 16 * j), f_set(kept));
    }
    int i = low;
    if (i % 2 && i < high) {
#pragma GCC unroll 4
        for (int j = 0; j < N; j++) odd[j] = f_fma(f_load(values + i * width + 16 * j), f_set(weights[i]), odd[j]);
        i++;
    }
    for (; i + 2 <= high; i += 2)
#pragma GCC unroll 4
        for (int j = 0; j < N; j++) {
            even[j] = f_fma(f_load(values + i * width + 16 * j), f_set(weights[i]), even[j]);
            odd[j] = f_fma(f_load(values + (i + 1) * width + 16 * j), f_set(weights[i + 1]), odd[j]);
        }
    if (i < high)
#pragma GCC unroll 4
        for (int j = 0; j < N; j++) even[j] = f_fma(f_load(values + i * width + 16 * j), f_set(weights[i]), even[j]);
#pragma GCC unroll 4
    for (int j = 0; j < N; j++) {
        f_store(sums + 16 * j, even[j]);
        f_store(sums + width + 16 * j, odd[j]);
    }
}

INLINE void accumulate_values(const float* values, int64_t width, const float* weights, int low, int high, float kept,
                  float* sums) {
    int64_t at = 0;
    for (; at + 64 <= width; at += 64) accumulate_part<4>(values + at, width, weights, low, high, kept, sums + at);
    for (; at < width; at += 16) accumulate_part<1>(values + at, width, weights, low, high, kept, sums + at);
}

// The block at `from` for rows [0, n) with n_heads queries each, whose cells are those of the longest.
void attend_block(const Attention& a, int64_t kv_head, int64_t from, const Row* rows, int n, int n_heads,
                  const Scratch& desk) {
    const Row* longest = rows;
    for (int r = 1; r < n; r++)
        if (rows[r].end > longest->end) longest = rows + r;
    int read = longest->high(from);
    if (read <= 0) return;
    int64_t slot = a.slots ? a.slots[rows[0].number] : 0;
    read_block(a.k, slot * a.k_slot + kv_head * a.k_head, a.k_cell, a.width, a.k_type, longest->map, from, read,
               desk.block);
    for (int i = 0; i < n * n_heads; i++) {
        int low = rows[i / n_heads].low(from), high = rows[i / n_heads].high(from);
        if (low >= high) continue;
        score(desk.block, desk.width, desk.q + i * desk.width, low, high, desk.scores + i * KV_BLOCK);
        online_softmax(desk.scores + i * KV_BLOCK, low, high, a.softcap, desk.peak + i, desk.total + i, desk.kept + i);
    }
    read_block(a.v, slot * a.v_slot + kv_head * a.v_head, a.v_cell, a.value_width, a.v_type, longest->map, from, read,
               desk.block);
    for (int i = 0; i < n * n_heads; i++) {
        int low = rows[i / n_heads].low(from), high = rows[i / n_heads].high(from);
        if (low < high)
            accumulate_values(desk.block, desk.value_width, desk.scores + i * KV_BLOCK, low, high, desk.kept[i],
                  desk.sums + 2 * i * desk.value_width);
    }
}

Row row_of(const Attention& a, int64_t number) {
    int64_t end = a.positions[number] + 1;
    const int64_t* path = a.paths ? a.paths + number * a.path_width : nullptr;
    return {number,
            a.window > 0 && end > a.window ? end - a.window : 0,
            end,
            {a.lengths ? a.lengths[number] : 0, a.path_width, a.cells, path}};
}

Scratch lay_out(const Attention& a, int queries, float* at) {
    Scratch desk;
    desk.width = whole_vectors(a.width), desk.value_width = whole_vectors(a.value_width);
    desk.block = at, at += KV_BLOCK * (desk.width > desk.value_width ? desk.width : desk.value_width);
    desk.q = at, at += queries * desk.width;
    desk.sums = at, at += queries * 2 * desk.value_width;
    desk.scores = at, at += queries * KV_BLOCK;
    desk.peak = at, desk.total = at + queries, desk.kept = at + 2 * queries;
    return desk;
}

// Rows [first_row, first_row + n) of one slot, n_heads query heads of one kv head. scratch: attend_scratch floats.
void attend_piece(const Attention& a, int64_t first_row, int n, int64_t kv_head, int64_t first_head, int n_heads,
                  float* scratch) {
    Row rows[ROWS_AT_ONCE];
    Scratch desk = lay_out(a, n * n_heads, scratch);
    int64_t begin = INT64_MAX, end = 0, shared = INT64_MAX;  // up to `shared` all rows see the same cells
    for (int r = 0; r < n; r++) {
        rows[r] = row_of(a, first_row + r);
        begin = rows[r].begin < begin ? rows[r].begin : begin;
        end = rows[r].end > end ? rows[r].end : end;
        if (a.paths && rows[r].map.length < shared) shared = rows[r].map.length;
        for (int h = 0; h < n_heads; h++) {
            int i = r * n_heads + h;
            const float* q = a.q + (first_row + r) * a.q_row + (first_head + h) * a.width;
            for (int64_t j = 0; j < desk.width; j++) desk.q[i * desk.width + j] = j < a.width ? q[j] * a.scale : 0.0f;
            for (int64_t j = 0; j < 2 * desk.value_width; j++) desk.sums[2 * i * desk.value_width + j] = 0;
            desk.peak[i] = a.sinks ? a.sinks[first_head + h] : -INFINITY;
            desk.total[i] = a.sinks ? 1.0f : 0.0f;
        }
    }
    for (int64_t from = begin / KV_BLOCK * KV_BLOCK; from < end; from += KV_BLOCK) {
        if (from + KV_BLOCK <= shared) {
            attend_block(a, kv_head, from, rows, n, n_heads, desk);
            continue;
        }
        for (int r = 0; r < n; r++) {
            Scratch own = desk;
            int i = r * n_heads;
            own.q += i * desk.width, own.sums += 2 * i * desk.value_width, own.scores += i * KV_BLOCK;
            own.peak += i, own.total += i, own.kept += i;
            attend_block(a, kv_head, from, rows + r, 1, n_heads, own);
        }
    }
    for (int r = 0; r < n; r++)
        for (int h = 0; h < n_heads; h++) {
            int64_t i = r * n_heads + h;
            const float *even = desk.sums + 2 * i * desk.value_width, *odd = even + desk.value_width;
            float* out = a.out + (first_row + r) * a.out_row + (first_head + h) * a.value_width;
            for (int64_t j = 0; j < a.value_width; j++) out[j] = (even[j] + odd[j]) / desk.total[i];
        }
}

}  // namespace
