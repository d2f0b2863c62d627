#include <math.h>
#include <stdlib.h>

#include <atomic>

#include "api.h"
#include "half.h"
#include "pool.h"

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
        while (next < end && (!a.slots || a.slots[next] == a.slots[first])) next++;
        kernels->attend(a, first, (int)(next - first), kv_head, head, (int)n_heads, scratch);
        first = next;
    }
}

// One block of Q8_0 of 32 values: scale = largest / 127, bytes to the nearest, ties to even. Compiled once, for every
// instruction set. A block with a NaN or an infinity gets a scale that hands it on.
void to_q8_0(const float* x, uint8_t* block) {
    float largest = 0;
    for (int i = 0; i < Q8_0_VALUES; i++) {
        float size = fabsf(x[i]);
        largest = size > largest || size != size ? size : largest;
    }
    float scale = largest / 127.0f, inverse = scale != 0 ? 1.0f / scale : 0.0f;
    write_u16(block, float_to_half(scale));
    for (int i = 0; i < Q8_0_VALUES; i++) {
        float value = x[i] * inverse;
        value = value < 127.0f ? value : value == value ? 127.0f : 0.0f;
        value = value > -127.0f ? value : -127.0f;
        block[2 + i] = (uint8_t)(int8_t)(int)(value + 12582912.0f - 12582912.0f);  // 1.5 * 2^23: the adder rounds
    }
}

}  // namespace

int llamaspec_attend(const Attention* call, int threads) {
    const Kernels* kernels = llamaspec_kernels();
    const Attention& a = *call;
    int64_t group = a.heads / a.kv_heads, seen = 0;
    for (int64_t row = 0; row < a.rows; row++) seen += a.positions[row] + 1;
    if (seen * a.heads * a.width <= ALONE_VALUES) threads = 1;
    Pieces pieces = cut(a, threads);
    int64_t widest = whole_vectors(a.width > a.value_width ? a.width : a.value_width);
    int64_t floats = KV_BLOCK * widest + pieces.rows_at_once * pieces.heads_at_once * (3 * widest + KV_BLOCK + 3);
    std::atomic<bool> out_of_memory{false};
    auto work = [&](int64_t begin, int64_t end) {
        float* scratch = (float*)malloc((size_t)floats * sizeof(float));
        if (!scratch) {
            out_of_memory = true;
            return;
        }
        for (int64_t i = begin; i < end; i++) {
            int64_t first = i / pieces.per_row_group * pieces.rows_at_once, last = first + pieces.rows_at_once;
            int64_t kv_head = i % pieces.per_row_group / pieces.parts, head = i % pieces.parts * pieces.heads_at_once;
            int64_t heads = group - head < pieces.heads_at_once ? group - head : pieces.heads_at_once;
            attend_rows(kernels, a, first, last < a.rows ? last : a.rows, kv_head, kv_head * group + head, heads,
                        scratch);
        }
        free(scratch);
    };
    share(threads, pieces.row_groups * pieces.per_row_group, 1, work);
    return out_of_memory;
}

void llamaspec_store(const float* x, void* cache, const int64_t* slots, const int64_t* cells, int64_t rows,
                     int64_t heads, int64_t width, int64_t slot_step, int64_t head_step, int64_t cell_step, int type) {
    const Kernels* kernels = llamaspec_kernels();
    for (int64_t row = 0; row < rows; row++)
        for (int64_t head = 0; head < heads; head++) {
            const float* from = x + (row * heads + head) * width;
            int64_t at = slots[row] * slot_step + head * head_step + cells[row] * cell_step;
            if (type == KV_Q8_0)
                for (int64_t i = 0; i < width / Q8_0_VALUES; i++)
                    to_q8_0(from + i * Q8_0_VALUES, (uint8_t*)cache + at + i * Q8_0_BYTES);
            else if (type == KV_F16) kernels->to_half(from, (uint16_t*)cache + at, width);
            else if (type == KV_BF16)
                for (int64_t i = 0; i < width; i++) ((uint16_t*)cache)[at + i] = float_to_bf16(from[i]);
            else memcpy((float*)cache + at, from, (size_t)width * sizeof(float));
        }
}
