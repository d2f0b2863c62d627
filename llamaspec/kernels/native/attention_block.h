// Attention of one row: positions are visited in blocks of 64 that begin at multiples of 64, whatever else is in the
// batch, and merged with a running maximum and sum. A branch of a tree is visited in the order of its positions, so it
// gets the bits of plain decoding.
#pragma once
#include "act_row.h"
#include "table.h"

namespace {

constexpr int KV_BLOCK = 64;
constexpr int HEADS_AT_ONCE = 8;  // query heads that share one reading of a key

struct View {  // one slot's keys or values for one kv head
    const uint8_t* base;
    int64_t cell_bytes;
    int64_t width;
    bool half;
};

INLINE F load_part(const View& view, const uint8_t* cell, int64_t at) {
    int64_t left = view.width - at;
    if (left >= 16) return view.half ? f_half(cell + 2 * at) : f_load((const float*)cell + at);
    float part[16] = {0};
    for (int64_t i = 0; i < left; i++)
        part[i] = view.half ? half_to_float(read_u16(cell + 2 * (at + i))) : ((const float*)cell)[at + i];
    return f_load(part);
}

struct Walk {  // position -> cell
    int64_t length, path_width, cells;
    const int64_t* path;
    inline int64_t cell(int64_t position) const {
        int64_t cell = position;
        if (path && position >= length) {
            int64_t step = position - length;
            cell = path[step < path_width ? step : path_width - 1];
        }
        return cell < 0 ? 0 : cell < cells ? cell : cells - 1;
    }
};

// scores[head * KV_BLOCK + i] for the n positions from `from`
template <int H> INLINE void score_block(const View& k, const Walk& walk, int64_t from, int n, const float* q, int64_t padded, float* scores) {
    for (int i = 0; i < n; i++) {
        const uint8_t* cell = k.base + walk.cell(from + i) * k.cell_bytes;
        F sums[H];
#pragma GCC unroll 8
        for (int h = 0; h < H; h++) sums[h] = f_set(0);
        for (int64_t at = 0; at < k.width; at += 16) {
            F key = load_part(k, cell, at);
#pragma GCC unroll 8
            for (int h = 0; h < H; h++) sums[h] = f_fma(f_load(q + h * padded + at), key, sums[h]);
        }
#pragma GCC unroll 8
        for (int h = 0; h < H; h++) scores[h * KV_BLOCK + i] = f_sum(sums[h]);
    }
}

// sums[head * padded + at] = kept * sums + weights * values
template <int H> INLINE void weigh_block(const View& v, const Walk& walk, int64_t from, int n, const float* weights, const float* kept,
                                         int64_t padded, float* sums) {
    for (int64_t at = 0; at < v.width; at += 16) {
        F out[H];
#pragma GCC unroll 8
        for (int h = 0; h < H; h++) out[h] = f_mul(f_load(sums + h * padded + at), f_set(kept[h]));
        for (int i = 0; i < n; i++) {
            F value = load_part(v, v.base + walk.cell(from + i) * v.cell_bytes, at);
#pragma GCC unroll 8
            for (int h = 0; h < H; h++) out[h] = f_fma(value, f_set(weights[h * KV_BLOCK + i]), out[h]);
        }
#pragma GCC unroll 8
        for (int h = 0; h < H; h++) f_store(sums + h * padded + at, out[h]);
    }
}

// Scores become weights in place; returns their sum, and the factor for what was summed before.
INLINE float soften(float* scores, int n, float softcap, float* peak, float* kept) {
    if (softcap > 0)
        for (int i = 0; i < n; i++) scores[i] = softcap * tanhf(scores[i] / softcap);
    for (int i = n; i < KV_BLOCK; i++) scores[i] = -INFINITY;
    F highest = f_load(scores);
    for (int i = 16; i < KV_BLOCK; i += 16) highest = f_max(highest, f_load(scores + i));
    float block_peak = f_peak(highest);
    float now = block_peak > *peak ? block_peak : *peak;
    F total = f_set(0), shift = f_set(now);
    for (int i = 0; i < KV_BLOCK; i += 16) {
        F weight = f_exp(f_sub(f_load(scores + i), shift));
        f_store(scores + i, weight);
        total = f_add(total, weight);
    }
    float factor[16];
    f_store(factor, f_exp(f_sub(f_set(*peak), shift)));
    *kept = factor[0];
    *peak = now;
    return f_sum(total);
}

template <int H> void attend_heads(const Attention& a, int64_t row, int64_t kv_head, int64_t first, float* scratch) {
    int64_t padded = (a.width + 15) / 16 * 16, padded_v = (a.value_width + 15) / 16 * 16;
    float *q = scratch, *sums = q + H * padded, *scores = sums + H * padded_v;
    float peak[H], total[H], kept[H];
    int64_t slot = a.slots ? a.slots[row] : 0, position = a.positions[row];
    int64_t size = a.half ? 2 : 4;
    View k = {(const uint8_t*)a.k + (slot * a.k_slot + kv_head * a.k_head) * size, a.k_cell * size, a.width, a.half != 0};
    View v = {(const uint8_t*)a.v + (slot * a.v_slot + kv_head * a.v_head) * size, a.v_cell * size, a.value_width, a.half != 0};
    Walk walk = {a.lengths ? a.lengths[row] : 0, a.path_width, a.cells, a.paths ? a.paths + row * a.path_width : nullptr};
    for (int h = 0; h < H; h++) {
        for (int64_t i = 0; i < padded; i++)
            q[h * padded + i] = i < a.width ? a.q[row * a.q_row + (first + h) * a.width + i] * a.scale : 0.0f;
        for (int64_t i = 0; i < padded_v; i++) sums[h * padded_v + i] = 0;
        peak[h] = a.sinks ? a.sinks[first + h] : -INFINITY;
        total[h] = a.sinks ? 1.0f : 0.0f;
    }
    int64_t begin = a.window > 0 && position + 1 > a.window ? position + 1 - a.window : 0;
    for (int64_t from = begin; from <= position;) {
        int64_t end = (from / KV_BLOCK + 1) * KV_BLOCK;
        int n = (int)((end <= position ? end : position + 1) - from);
        score_block<H>(k, walk, from, n, q, padded, scores);
        for (int h = 0; h < H; h++) {
            float sum = soften(scores + h * KV_BLOCK, n, a.softcap, peak + h, kept + h);
            total[h] = total[h] * kept[h] + sum;
        }
        weigh_block<H>(v, walk, from, n, scores, kept, padded_v, sums);
        from += n;
    }
    for (int h = 0; h < H; h++) {
        float* out = a.out + row * a.out_row + (first + h) * a.value_width;
        for (int64_t i = 0; i < a.value_width; i++) out[i] = sums[h * padded_v + i] / total[h];
    }
}

void attend_group(const Attention& a, int64_t row, int64_t kv_head, int64_t first, int64_t n, float* scratch) {
    for (; n >= 8; first += 8, n -= 8) attend_heads<8>(a, row, kv_head, first, scratch);
    if (n & 4) attend_heads<4>(a, row, kv_head, first, scratch), first += 4;
    if (n & 2) attend_heads<2>(a, row, kv_head, first, scratch), first += 2;
    if (n & 1) attend_heads<1>(a, row, kv_head, first, scratch);
}

}  // namespace
