// What Python calls. Pointers are to the first element, sizes in elements, matrices row by row without gaps unless a
// step is given. threads: how many may work, the calling one included; no result depends on it.
#pragma once
#include <stdint.h>
#include <string.h>

#include "arena.h"
#include "table.h"
#include "tape.h"

#if defined(_WIN32)
#define API extern "C" __declspec(dllexport)
#else
#define API extern "C" __attribute__((visibility("default")))
#endif

const Kernels* llamaspec_kernels();  // in use

API int llamaspec_version();             // of this interface: library.py asks for the one it knows
API int llamaspec_cores();               // this process may use
API const char* llamaspec_isa();         // name of the kernels in use
API int llamaspec_use(const char* isa);  // others, for tests and measurements: 0 if they run here

// Memory for the packed matrices of one model (arena.h). It lives as long as it is not released or a matrix lies in it.
API Arena* llamaspec_arena_new();  // null: no memory
API void llamaspec_arena_release(Arena* arena);
API int64_t llamaspec_arena_reserved(Arena* arena);  // bytes of address space; only what was packed is resident

// Weights. type: as in GGUF. bytes: `count` matrices of whole rows as the file holds them, unaligned.
API int64_t llamaspec_row_bytes(int type, int64_t columns);  // 0: a type or width that is not supported
API Packed* llamaspec_pack(Arena* arena, int type, const uint8_t* bytes, int64_t count, int64_t rows, int64_t columns,
                           int threads, int mapped);  // arena null: memory of its own; null: no memory
// mapped: bytes are pages of a file that nobody writes to, whose memory is given back on the way.
API int64_t llamaspec_codebook_bytes(int type);               // 0: the type has no codebook (quants/codebook.h)
API void llamaspec_codebook(int type, const uint8_t* ranks);  // to be called before such a type is packed
API void llamaspec_release(Packed* packed);
API int64_t llamaspec_packed_bytes(const Packed* packed);
API const uint8_t* llamaspec_packed_data(const Packed* packed);
API void llamaspec_rows(int type, const uint8_t* bytes, int64_t columns, const int64_t* ids, int64_t n, float* out);

// y [rows, N] = x [rows, K] w^T, w not a stack. 0, or 1 when out of memory.
API int llamaspec_matmul(const Packed* w, const float* x, int64_t rows, float* y, int threads);

// The operations of a tape, one after the other, for the rows of a pass (tape.h). A PassResult.
API int llamaspec_run(const Op* ops, int64_t n, const Pass* pass);

// Reads n bytes once, for measurements: the bandwidth that no product can pass. The answer means nothing.
API float llamaspec_read(const uint8_t* bytes, int64_t n, int threads);
