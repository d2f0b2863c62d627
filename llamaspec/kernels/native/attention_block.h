// Attention: positions are visited in blocks of 64 that begin at multiples of 64, whatever else is in the batch, and
// merged with a running maximum and sum. A branch of a tree is visited in the order of its positions, so it gets the
// bits of plain decoding. Rows of one sequence share the reading of a block where they see the same cells.
#pragma once
#include "cell_map.h"
#include "gate_row.h"
#include "table.h"

namespace {

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

void read_row(const uint8_t* at, int type, int64_t width, float* to) {
    if (type == KV_Q8_0) return read_q8_0(at, width, to);
    if (type == KV_F16) {
        int64_t j = 0;
        for (; j + 16 <= width; j += 16) f_store(to + j, f_half(at + 2 * j));
        for (; j < width; j++) to[j] = half_to_float(read_u16(at + 2 * j));
    } else if (type == KV_BF16) {
        for (int64_t j = 0; j < width; j++) to[j] = bf16_to_float(read_u16(at + 2 * j));
    } else {
        memcpy(to, at, (size_t)width * sizeof(float));
    }
}

// Cells of positions [from, from + n) as floats, filled up with zeros to whole vectors.
void read_block(const Plane& plane, int64_t slot, int64_t head, int64_t width, CellMap map, int64_t from, int n,
                float* to) {
    int64_t padded = whole_vectors(width);
    const uint8_t* base = plane.data + slot * plane.slot_step + head * plane.head_step;
    map.cells = plane.cells, map.ring = plane.ring;
    for (int i = 0; i < n; i++, to += padded) {
        read_row(base + map.cell(from + i) * plane.cell_step, plane.type, width, to);
        for (int64_t j = width; j < padded; j++) to[j] = 0;
    }
}

}  // namespace

// score_tile: scores of a few queries and keys. accumulate_part: the values of a block, for a few queries.
#ifdef LANES_IN_HALVES
#include "attention_halves.h"
#else
#include "attention_whole.h"
#endif

namespace {

template <int Q>
INLINE void score(const float* keys, int64_t width, const float* q, int i, float* scores) {
    constexpr int K = SCORE_SUMS / Q;
    for (int j = i; j < i + 16; j += K) score_tile<Q, K>(keys + j * width, width, q, scores + j);
}

// Of all queries and at least the keys [low, high), 16 keys at a time.
void score_all(const Scratch& s, int queries, int low, int high) {
    constexpr int Q = SCORE_SUMS == 16 ? 4 : 2;
    for (int i = low / 16 * 16; i < high; i += 16) {
        int at = 0;
        for (; at + Q <= queries; at += Q) score<Q>(s.block, s.width, s.q + at * s.width, i, s.scores + at * KV_BLOCK);
        for (; at < queries; at++) score<1>(s.block, s.width, s.q + at * s.width, i, s.scores + at * KV_BLOCK);
    }
}

// Scores become weights in place, zero where nothing is seen; what was summed before is to be multiplied by `kept`.
INLINE void online_softmax(float* scores, int low, int high, float softcap, float* peak, float* total, float* kept) {
    for (int i = 0; i < low; i++) scores[i] = -INFINITY;
    for (int i = high; i < KV_BLOCK; i++) scores[i] = -INFINITY;
    if (softcap > 0)
        for (int i = 0; i < KV_BLOCK; i += 16) {
            F capped = f_mul(f_set(softcap), f_tanh(f_div(f_load(scores + i), f_set(softcap))));
            f_store(scores + i, f_select_below(f_load(scores + i), -3e38f, f_load(scores + i), capped));
        }
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

template <int Q>
INLINE void accumulate_values(const float* values, int64_t step, const float* weights, int low, int high,
                              const float* kept, float* sums, int64_t width) {
    constexpr int N = VALUE_SUMS / (2 * Q) < 4 ? VALUE_SUMS / (2 * Q) : 4;
    int64_t at = 0;
    for (; at + 16 * N <= width; at += 16 * N)
        accumulate_part<Q, N>(values + at, step, weights, low, high, kept, sums + at, width);
    for (; at < width; at += 16) accumulate_part<Q, 1>(values + at, step, weights, low, high, kept, sums + at, width);
}

// The values of the block at `from` for all queries; step: from value to value.
void accumulate_all(const Scratch& s, const Row* rows, int queries, int n_heads, int64_t from, int64_t step) {
    for (int i = 0; i < queries;) {
        const Row &row = rows[i / n_heads], &next = rows[(i + 1 < queries ? i + 1 : i) / n_heads];
        int low = row.low(from), high = row.high(from);
        bool pair = i + 1 < queries && next.low(from) == low && next.high(from) == high;
        const float* weights = s.scores + i * KV_BLOCK;
        float* sums = s.sums + 2 * i * s.value_width;
        if (low < high && pair)
            accumulate_values<2>(s.block, step, weights, low, high, s.kept + i, sums, s.value_width);
        else if (low < high)
            accumulate_values<1>(s.block, step, weights, low, high, s.kept + i, sums, s.value_width);
        i += pair ? 2 : 1;
    }
}

// The block at `from` for rows [0, n) with n_heads queries each, whose cells are those of the longest.
void attend_block(const Attention& a, int64_t kv_head, int64_t from, const Row* rows, int n, int n_heads,
                  const Scratch& s) {
    const Row* longest = rows;
    int low = KV_BLOCK;  // of any row
    for (int r = 0; r < n; r++) {
        if (rows[r].end > longest->end) longest = rows + r;
        if (rows[r].low(from) < low) low = rows[r].low(from);
    }
    int read = longest->high(from);
    if (read <= low) return;
    int64_t slot = a.slots[rows[0].number];
    read_block(a.k, slot, kv_head, a.width, longest->map, from, read, s.block);
    score_all(s, n * n_heads, low, read);
    for (int i = 0; i < n * n_heads; i++) {
        int seen_from = rows[i / n_heads].low(from), seen_to = rows[i / n_heads].high(from);
        if (seen_from < seen_to)
            online_softmax(s.scores + i * KV_BLOCK, seen_from, seen_to, a.softcap, s.peak + i, s.total + i, s.kept + i);
    }
    bool prefix = a.v.data == a.k.data;
    if (!prefix) read_block(a.v, slot, kv_head, a.value_width, longest->map, from, read, s.block);
    accumulate_all(s, rows, n * n_heads, n_heads, from, prefix ? s.width : s.value_width);
}

Row row_of(const Attention& a, int64_t number) {
    int64_t end = a.positions[number] + 1;
    const int64_t* path = a.paths ? a.paths + number * a.path_width : nullptr;
    return {number,
            a.window <= 0 ? 0 : a.chunked ? (end - 1) / a.window * a.window : end > a.window ? end - a.window : 0,
            end,
            {a.lengths[number], a.path_width, 0, 0, path}};
}

Scratch lay_out(const Attention& a, int queries, float* at) {
    Scratch s;
    s.width = whole_vectors(a.width), s.value_width = whole_vectors(a.value_width);
    s.block = at, at += KV_BLOCK * (s.width > s.value_width ? s.width : s.value_width);
    s.q = at, at += queries * s.width;
    s.sums = at, at += queries * 2 * s.value_width;
    s.scores = at, at += queries * KV_BLOCK;
    s.peak = at, s.total = at + queries, s.kept = at + 2 * queries;
    return s;
}

void start_query(const Attention& a, int64_t row, int64_t head, int i, const Scratch& s) {
    const float* q = a.q + row * a.q_step + head * a.width;
    for (int64_t j = 0; j < s.width; j++) s.q[i * s.width + j] = j < a.width ? q[j] * a.scale : 0.0f;
    for (int64_t j = 0; j < 2 * s.value_width; j++) s.sums[2 * i * s.value_width + j] = 0;
    s.peak[i] = a.sinks ? a.sinks[head] : -INFINITY;
    s.total[i] = a.sinks ? 1.0f : 0.0f;
}

void finish_query(const Attention& a, int64_t row, int64_t head, int i, const Scratch& s) {
    const float *even = s.sums + 2 * i * s.value_width, *odd = even + s.value_width;
    float* out = a.out + row * a.out_step + head * a.value_width;
    for (int64_t j = 0; j < a.value_width; j++) out[j] = (even[j] + odd[j]) / s.total[i];
}

// Rows [first_row, first_row + n) of one slot, n_heads query heads of one kv head. scratch: as lay_out cuts it.
void attend_piece(const Attention& a, int64_t first_row, int n, int64_t kv_head, int64_t first_head, int n_heads,
                  float* scratch) {
    Row rows[ROWS_AT_ONCE];
    Scratch s = lay_out(a, n * n_heads, scratch);
    int64_t begin = INT64_MAX, end = 0, shared = INT64_MAX;  // up to `shared` all rows see the same cells
    for (int r = 0; r < n; r++) {
        rows[r] = row_of(a, first_row + r);
        begin = rows[r].begin < begin ? rows[r].begin : begin;
        end = rows[r].end > end ? rows[r].end : end;
        if (a.paths && rows[r].map.length < shared) shared = rows[r].map.length;
        for (int h = 0; h < n_heads; h++) start_query(a, first_row + r, first_head + h, r * n_heads + h, s);
    }
    for (int64_t from = begin / KV_BLOCK * KV_BLOCK; from < end; from += KV_BLOCK) {
        if (from + KV_BLOCK <= shared) {
            attend_block(a, kv_head, from, rows, n, n_heads, s);
            continue;
        }
        for (int r = 0; r < n; r++) {
            Scratch own = s;
            int i = r * n_heads;
            own.q += i * s.width, own.sums += 2 * i * s.value_width, own.scores += i * KV_BLOCK;
            own.peak += i, own.total += i, own.kept += i;
            attend_block(a, kv_head, from, rows + r, 1, n_heads, own);
        }
    }
    for (int r = 0; r < n; r++)
        for (int h = 0; h < n_heads; h++) finish_query(a, first_row + r, first_head + h, r * n_heads + h, s);
}

}  // namespace
