// What Python calls. Pointers are to the first element, sizes in elements, matrices row by row without gaps unless a
// step is given. threads: how many may work, the calling one included; no result depends on it.
#pragma once
#include <stdint.h>
#include <string.h>

#include "block.h"
#include "matmul.h"
#include "table.h"

#if defined(_WIN32)
#define API extern "C" __declspec(dllexport)
#else
#define API extern "C" __attribute__((visibility("default")))
#endif

constexpr int64_t ALONE_VALUES = 32768;  // element-wise work below this is not worth waking a thread

const Kernels* llamaspec_kernels();  // in use

API int llamaspec_version();             // of this interface: library.py asks for the one it knows
API int llamaspec_cores();               // this process may use
API const char* llamaspec_isa();         // name of the kernels in use
API int llamaspec_use(const char* isa);  // others, for tests and measurements: 0 if they run here

// Weights. type: as in GGUF. bytes: whole rows as the file holds them, unaligned.
API int64_t llamaspec_row_bytes(int type, int64_t columns);  // 0: a type or width that is not supported
API Packed* llamaspec_pack(int type, const uint8_t* bytes, int64_t rows, int64_t columns,
                           int threads);  // null: no memory
API void llamaspec_release(Packed* packed);
API int64_t llamaspec_packed_bytes(const Packed* packed);
API const uint8_t* llamaspec_packed_data(const Packed* packed);
API void llamaspec_rows(int type, const uint8_t* bytes, int64_t columns, const int64_t* ids, int64_t n, float* out);

// y [rows, N] = x [rows, K] w^T. 0, or 1 when out of memory.
API int llamaspec_matmul(const Packed* w, const float* x, int64_t rows, float* y, int threads);
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
API int llamaspec_attend(const Attention* call, int threads);

// n blocks, one after the other: the same calls as above in the same order, so the same bits. 0, or a BlockResult.
API int64_t llamaspec_blocks_scratch(const BlockWeights* blocks, int n, int64_t width, int64_t rows);  // floats needed
API int llamaspec_blocks(const BlockWeights* blocks, const BlockCache* caches, int n, const BlockPass* pass);

// A whole model: tokens [pass.rows] -> logits [pass.rows, rows of the head], or none if logits is null. pass.x and y
// are not used, and scratch has room for rows * (width + 2 * half) floats, each rounded up to 16, more.
API int llamaspec_model(const ModelEnds* ends, const BlockWeights* blocks, const BlockCache* caches, int n,
                        const BlockPass* pass, const int64_t* tokens, float* logits);

// Reads n bytes once, for measurements: the bandwidth that no product can pass. The answer means nothing.
API float llamaspec_read(const uint8_t* bytes, int64_t n, int threads);
