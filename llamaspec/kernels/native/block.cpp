#include "block.h"

#include "calls.h"

namespace {

int64_t lines(int64_t n) { return (n + 15) / 16 * 16; }

// Parts of the scratch memory, cut off from the front in whole cache lines.
struct Cutter {
    float* at;
    float* take(int64_t n) {
        float* part = at;
        at += lines(n);
        return part;
    }
};

Product product(const Packed* w, float* y, const float* bias, const float* residual = nullptr) {
    return {w, y, w->rows, bias, residual, w->rows, 0};
}

void store(const BlockPass& pass, const float* x, void* cache, int64_t heads, int64_t width, int64_t slot, int64_t head,
           int64_t cell, int type) {
    llamaspec_store(x, cache, pass.write_slots, pass.write_cells, pass.rows, heads, width, slot, head, cell, type);
}

// y = x + attention(norm x); y may be x. normed [rows, width].
bool attention(const BlockWeights& block, const BlockCache& cache, const BlockPass& pass, const float* x, float* normed,
               Cutter scratch) {
    int64_t n = pass.rows, heads = block.heads, kv_heads = block.kv_heads, width = block.key_width;
    int threads = pass.threads;
    float *q = scratch.take(n * block.q->rows), *k = scratch.take(n * block.k->rows);
    float *v = scratch.take(n * block.v->rows), *attended = scratch.take(n * block.output->columns);
    llamaspec_rms_norm(x, block.attn_norm, normed, n, pass.width, block.eps, threads);
    Product qkv[3] = {product(block.q, q, block.q_bias), product(block.k, k, block.k_bias),
                      product(block.v, v, block.v_bias)};
    if (llamaspec_products(qkv, 3, normed, pass.width, n, threads)) return false;
    if (block.q_norm) {
        llamaspec_rms_norm(q, block.q_norm, q, n * heads, width, block.eps, threads);
        llamaspec_rms_norm(k, block.k_norm, k, n * kv_heads, width, block.eps, threads);
    }
    llamaspec_rotate(q, q, n, heads, width, pass.cos, pass.sin, pass.half, pass.interleaved, threads);
    llamaspec_rotate(k, k, n, kv_heads, width, pass.cos, pass.sin, pass.half, pass.interleaved, threads);
    store(pass, k, cache.k, kv_heads, width, cache.k_slot, cache.k_head, cache.k_cell, pass.k_type);
    store(pass, v, cache.v, kv_heads, block.value_width, cache.v_slot, cache.v_head, cache.v_cell, pass.v_type);
    AttendCall call = {};
    call.q = q, call.k = cache.k, call.v = cache.v, call.out = attended;
    call.positions = pass.positions, call.slots = pass.slots, call.lengths = pass.lengths;
    call.paths = pass.paths, call.path_width = pass.path_width;
    call.rows = n, call.heads = heads, call.kv_heads = kv_heads, call.width = width,
    call.value_width = block.value_width;
    call.cells = pass.cache_cells;
    call.k_slot = cache.k_slot, call.k_head = cache.k_head, call.k_cell = cache.k_cell;
    call.v_slot = cache.v_slot, call.v_head = cache.v_head, call.v_cell = cache.v_cell;
    call.q_row = heads * width, call.out_row = heads * block.value_width;
    call.scale = block.scale, call.k_type = pass.k_type, call.v_type = pass.v_type;
    if (llamaspec_attend(&call, threads)) return false;
    Product output = product(block.output, pass.y, block.output_bias, x);
    return !llamaspec_products(&output, 1, attended, block.output->columns, n, threads);
}

// y += down(silu(gate(norm y)) * up(norm y))
bool feed_forward(const BlockWeights& block, const BlockPass& pass, float* normed, Cutter scratch) {
    int64_t n = pass.rows, inner = block.gate->rows;
    float *gate = scratch.take(n * inner), *up = scratch.take(n * inner);
    llamaspec_rms_norm(pass.y, block.ffn_norm, normed, n, pass.width, block.eps, pass.threads);
    Product both[2] = {product(block.gate, gate, block.gate_bias), product(block.up, up, block.up_bias)};
    if (llamaspec_products(both, 2, normed, pass.width, n, pass.threads)) return false;
    llamaspec_silu_mul(gate, up, gate, n * inner, pass.threads);
    Product down = product(block.down, pass.y, block.down_bias, pass.y);
    return !llamaspec_products(&down, 1, gate, inner, n, pass.threads);
}

bool within(const int64_t* values, int64_t n, int64_t limit) {
    for (int64_t i = 0; i < n; i++)
        if (values[i] < 0 || values[i] >= limit) return false;
    return true;
}

}  // namespace

int64_t llamaspec_blocks_scratch(const BlockWeights* blocks, int n, int64_t width, int64_t rows) {
    int64_t most = 0;
    for (int i = 0; i < n; i++) {
        const BlockWeights& b = blocks[i];
        int64_t attention = lines(rows * b.q->rows) + lines(rows * b.k->rows) + lines(rows * b.v->rows) +
                            lines(rows * b.output->columns);
        int64_t feed_forward = 2 * lines(rows * b.gate->rows);
        if (attention > most) most = attention;
        if (feed_forward > most) most = feed_forward;
    }
    return lines(rows * width) + most;
}

int llamaspec_model(const ModelEnds* ends, const BlockWeights* blocks, const BlockCache* caches, int n,
                    const BlockPass* whole, const int64_t* tokens, float* logits) {
    BlockPass pass = *whole;
    int64_t rows = pass.rows, width = pass.width, half = pass.half;
    if (!within(tokens, rows, ends->vocabulary) || !within(pass.positions, rows, pass.angles))
        return BLOCKS_OUT_OF_RANGE;
    Cutter scratch = {pass.scratch};
    float *x = scratch.take(rows * width), *cos = scratch.take(rows * half), *sin = scratch.take(rows * half);
    llamaspec_rows(ends->embedding_type, ends->embedding, width, tokens, rows, x);
    for (int64_t row = 0; row < rows; row++) {
        memcpy(cos + row * half, pass.cos + pass.positions[row] * half, (size_t)half * sizeof(float));
        memcpy(sin + row * half, pass.sin + pass.positions[row] * half, (size_t)half * sizeof(float));
    }
    pass.x = pass.y = x, pass.cos = cos, pass.sin = sin, pass.scratch = scratch.at;
    int failed = llamaspec_blocks(blocks, caches, n, &pass);
    if (failed || !logits) return failed;
    llamaspec_rms_norm(x, ends->norm, scratch.at, rows, width, ends->eps, pass.threads);
    Product head = product(ends->head, logits, ends->head_bias);
    return llamaspec_products(&head, 1, scratch.at, width, rows, pass.threads) ? BLOCKS_OUT_OF_MEMORY : BLOCKS_DONE;
}

int llamaspec_blocks(const BlockWeights* blocks, const BlockCache* caches, int n, const BlockPass* pass) {
    int64_t rows = pass->rows, slots = pass->cache_slots, cells = pass->cache_cells;
    if (!within(pass->write_slots, rows, slots) || !within(pass->write_cells, rows, cells) ||
        !within(pass->slots, rows, slots) || !within(pass->positions, rows, cells))
        return BLOCKS_OUT_OF_RANGE;
    Cutter scratch = {pass->scratch};
    float* normed = scratch.take(pass->rows * pass->width);
    for (int i = 0; i < n; i++) {
        if (!attention(blocks[i], caches[i], *pass, i ? pass->y : pass->x, normed, scratch))
            return BLOCKS_OUT_OF_MEMORY;
        if (!feed_forward(blocks[i], *pass, normed, scratch)) return BLOCKS_OUT_OF_MEMORY;
    }
    return BLOCKS_DONE;
}
