// Decoder blocks in one call: x += attention(norm x); x += down(silu(gate(norm x)) * up(norm x)), layer after layer.
#pragma once
#include "pack.h"

struct BlockWeights {  // one block; biases [rows of the matrix] may be null
    const float *attn_norm, *ffn_norm;
    const float *q_norm, *k_norm;  // [key_width], per head before rotation, or both null
    const Packed *q, *k, *v, *output, *gate, *up, *down;
    const float *q_bias, *k_bias, *v_bias, *output_bias, *gate_bias, *up_bias, *down_bias;
    int64_t heads, kv_heads, key_width, value_width;
    float eps, scale;
};

struct BlockCache {  // keys and values of one block, [slots, kv_heads, cells, width], steps as for attend
    void *k, *v;
    int64_t k_slot, k_head, k_cell, v_slot, v_head, v_cell;
};

struct ModelEnds {             // what stands before and behind the blocks
    const uint8_t* embedding;  // [vocabulary, width], as the file holds it
    int64_t vocabulary;
    const float* norm;  // [width]
    const Packed* head;
    const float* head_bias;  // or null
    int32_t embedding_type;
    float eps;
};

struct BlockPass {   // what all blocks share
    const float* x;  // [rows, width]
    float* y;        // [rows, width]; may be x
    float* scratch;  // llamaspec_blocks_scratch floats
    int64_t rows, width;
    const float *cos, *sin;  // [rows, half]; for a whole model [angles, half], row = position
    int64_t half, angles;
    const int64_t *write_slots, *write_cells;            // [rows]: where keys and values go
    const int64_t *positions, *slots, *lengths, *paths;  // [rows], paths [rows, path_width] or null: as for attend
    int64_t path_width;
    int64_t cache_slots, cache_cells;  // of every block's cache
    int32_t k_type, v_type;     // table.h: KVType
    int32_t interleaved, threads;
};

enum BlockResult { BLOCKS_DONE, BLOCKS_OUT_OF_MEMORY, BLOCKS_OUT_OF_RANGE };
