// One function per call, from before the tape: with block.h all of this goes when nothing in Python calls it.
#pragma once
#include "api.h"
#include "block.h"
#include "matmul.h"

API int llamaspec_products(const Product* products, int n, const float* x, int64_t ldx, int64_t rows, int threads);

// x [rows, width]; weight may be null.
API void llamaspec_rms_norm(const float* x, const float* weight, float* y, int64_t rows, int64_t width, float eps,
                            int threads);

// x [rows, heads, width], cos and sin [rows, half]; y may be x.
API void llamaspec_rotate(const float* x, float* y, int64_t rows, int64_t heads, int64_t width, const float* cos,
                          const float* sin, int64_t half, int interleaved, int threads);

API void llamaspec_silu_mul(const float* gate, const float* up, float* y, int64_t n, int threads);
API void llamaspec_add(const float* a, const float* b, float* y, int64_t n, int threads);

// x [rows, heads, width] goes to the cells of a cache that holds floats, halves, bf16 or Q8_0 (table.h: KVType). Steps in
// elements, of Q8_0 in bytes; width of Q8_0 a multiple of 32.
API void llamaspec_store(const float* x, void* cache, const int64_t* slots, const int64_t* cells, int64_t rows,
                         int64_t heads, int64_t width, int64_t slot_step, int64_t head_step, int64_t cell_step,
                         int type);

// out [rows, heads, value_width] of q [rows, heads, width]: row n sees positions 0..positions[n] (the last `window` of
// them) of slot slots[n]. Position p is cell p, or paths[n, p - lengths[n]] from lengths[n] on, if there are paths.
// slots, paths, sinks (one logit per head) may be null. scale multiplies q; softcap 0: none. 0, or 1 when out of
// memory.
struct AttendCall {
    const float* q;
    const void *k, *v;
    float* out;
    const float* sinks;
    const int64_t *positions, *slots, *lengths, *paths;
    int64_t path_width;
    int64_t rows, heads, kv_heads, width, value_width, cells;
    int64_t k_slot, k_head, k_cell, v_slot, v_head, v_cell;  // steps in elements, of Q8_0 in bytes
    int64_t q_row, out_row;
    int64_t window;  // 0: all positions
    float scale, softcap;
    int32_t k_type, v_type;  // KVType
};
API int llamaspec_attend(const AttendCall* call, int threads);

// n blocks, one after the other: the same calls as above in the same order, so the same bits. 0, or a BlockResult.
API int64_t llamaspec_blocks_scratch(const BlockWeights* blocks, int n, int64_t width, int64_t rows);  // floats needed
API int llamaspec_blocks(const BlockWeights* blocks, const BlockCache* caches, int n, const BlockPass* pass);

// A whole model: tokens [pass.rows] -> logits [pass.rows, rows of the head], or none if logits is null. pass.x and y
// are not used, and scratch has room for rows * (width + 2 * half) floats, each rounded up to 16, more.
API int llamaspec_model(const ModelEnds* ends, const BlockWeights* blocks, const BlockCache* caches, int n,
                        const BlockPass* pass, const int64_t* tokens, float* logits);
