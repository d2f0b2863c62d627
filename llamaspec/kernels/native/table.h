// What one instruction set offers: the same kernels compiled once per file of isa/, chosen when the library is loaded.
#pragma once
#include <stdint.h>

#include "tape.h"

#define INLINE inline __attribute__((always_inline))  // a call in the innermost loops costs more than the work
#define INLINE_LAMBDA __attribute__((always_inline))

constexpr int PANEL = 16;           // weight rows that are computed together
constexpr int CHUNK = 8;            // groups of 32 columns that share a head
constexpr int Q8_GROUP_BYTES = 48;  // one row's group, quantized (quantize_rows.h)
constexpr int MAX_TILE = 16, WIDE_TILE = 16;

// Weights are prefetched twice, so many bytes before their use: to L2, which has places for more lines on their way
// from memory, and from there to L1. Tried: 0 to 2048 and 1536 to 16384 (scripts/bench/LOG.md).
constexpr int PREFETCH_L1 = 1024, PREFETCH_L2 = 4096;
INLINE void prefetch(const uint8_t* at, int bytes) {
#pragma GCC unroll 8
    for (int i = 0; i < bytes; i += 64) {
        __builtin_prefetch(at + PREFETCH_L1 + i, 0, 3);
        __builtin_prefetch(at + PREFETCH_L2 + i, 0, 2);
    }
}

constexpr int ROWS_AT_ONCE = 16, HEADS_AT_ONCE = 16, QUERIES_AT_ONCE = 64;  // of attention, in one piece of work
constexpr int KV_BLOCK = 64;                                                 // positions that it reads together
INLINE int64_t whole_vectors(int64_t width) { return (width + 15) / 16 * 16; }

// y[row * ldy + lane] for `lanes` <= 16 weight rows of one panel and the rows of one tile. extra: added to the result
// (bias: one row for all, residual: same layout as y), both may be null.
struct Output {
    float* y;
    int64_t ldy;
    int lanes;
    const float* bias;
    const float* residual;
    int64_t ld_residual;
};
typedef void (*TileKernel)(const uint8_t* panel, int64_t length, const uint8_t* tile, const Output& out);

// All rows of x, in tiles of 16 (the last one filled up), times one panel; work: length groups of 512 bytes.
typedef void (*WideKernel)(const uint8_t* panel, int64_t length, const uint8_t* x, int64_t rows, const Output& out,
                           uint8_t* work);

struct TypeKernels {
    int type;  // number in GGUF; -1 ends a table
    TileKernel tile[MAX_TILE + 1];
};

struct WideKernels {
    int type;
    WideKernel panel;
};

// How a cache holds numbers. Q8_0 is GGUF's: blocks of 32, a half precision scale and 32 signed bytes.
enum KVType { KV_F32, KV_F16, KV_Q8_0, KV_BF16 };
constexpr int64_t Q8_0_VALUES = 32, Q8_0_BYTES = 34;

// Attention of rows: row n sees positions 0..positions[n] (the last `window` of them) of its slot. Position p is cell
// p, or paths[n, p - lengths[n]] from lengths[n] on, if there are paths.
struct Attention {
    const float* q;
    float* out;
    const float* sinks;                                  // [heads] or null
    const int64_t *positions, *slots, *lengths, *paths;  // [rows], paths [rows, path_width] or null
    int64_t path_width, rows, heads, kv_heads, width, value_width, q_step, out_step;
    Plane k, v;      // v.data == k.data: values are the first value_width of each key
    int64_t window;  // 0: all positions
    int chunked;     // instead: the positions of the row's own window-wide chunk
    float scale, softcap;
};

struct DeltaStep {  // as DeltaOp (tape.h) says
    int64_t size, value_size;
    int corrected, by_channel;
    float scale;
};

struct Kernels {
    const char* name;
    int tile_rows, tile_rows_float;
    const TypeKernels* types;
    const WideKernels* wide;  // null if there is nothing better than tiles
    void (*quantize_rows)(const float* x, int64_t ldx, int rows, int n, int64_t groups, int offset, int parts,
                          uint8_t* tile);
    void (*copy_rows)(const float* x, int64_t ldx, int rows, int n, int64_t columns, uint8_t* tile);
    // one row, or one part of a row
    void (*norm)(int kind, const float* x, const float* weight, const float* bias, float* y, int64_t width, float eps);
    void (*rotate)(const float* x, float* y, int64_t heads, int64_t width, int64_t offset, const float* cos,
                   const float* sin, int64_t half, int interleaved);
    // y = activation(gate) * up; up may be null; one_gate: gate[0] for all of y
    void (*gate)(int activation, const float* gate, int one_gate, const float* up, float* y, int64_t n, float limit);
    void (*element)(int kind, const float* a, const float* b, float* y, int64_t n, float factor);
    void (*decay)(const float* x, const float* bias, const float* rate, float* y, int64_t n);
    void (*softmax)(const float* x, float* y, int64_t n);
    void (*softplus)(const float* x, float* y, int64_t n);
    void (*add_scaled)(const float* x, float factor, float* y, int64_t n);  // y += factor * x
    // y[c] = sum over j of weight[c, j] * inputs[j][c], + bias[c], for channels c from `from` on
    void (*convolve)(const float* const* inputs, const float* weight, const float* bias, float* y, int64_t from,
                     int64_t n, int64_t kernel);
    void (*delta)(const DeltaStep& step, const float* from, float* state, const float* q, const float* k,
                  const float* v, float beta, const float* decay, float* y);  // y null: the state alone
    float (*read)(const uint8_t* bytes, int64_t n);
    void (*to_half)(const float* x, void* y, int64_t n);
    void (*attend)(const Attention& a, int64_t first_row, int rows, int64_t kv_head, int64_t first_head, int heads,
                   float* scratch);
};

extern "C" const Kernels llamaspec_generic, llamaspec_avx2, llamaspec_avx_vnni, llamaspec_avx512, llamaspec_neon;
extern "C" const TypeKernels llamaspec_generic_types[], llamaspec_avx2_types[], llamaspec_avx_vnni_types[],
    llamaspec_avx512_types[], llamaspec_neon_types[];
extern "C" const WideKernels llamaspec_amx[];
