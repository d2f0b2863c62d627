// Memory for the packed matrices of one model: large chunks of huge pages, matrices one behind the other. It is freed
// as a whole, when neither the model nor one of the matrices needs it any more.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct Arena;

Arena* arena_new(size_t chunk_bytes);            // with one user; null: no memory
uint8_t* arena_take(Arena* arena, size_t bytes);  // aligned to 64 bytes; adds a user; null: no memory
void arena_drop(Arena* arena);                   // one user less
size_t arena_reserved(Arena* arena);             // bytes of all chunks; what nobody has touched is not resident
