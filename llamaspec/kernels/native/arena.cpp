#include "arena.h"

#include <mutex>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "buffer.h"
#include "table.h"

namespace {

constexpr size_t HUGE_PAGE = 2 << 20, LINE = 64;
constexpr size_t SLACK = PREFETCH_L2 + 1024;  // prefetches run past the end of the last matrix

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

struct Chunk {
    uint8_t* data;
    size_t bytes, used;
    Chunk* next;
};

Chunk* new_chunk(size_t bytes, Chunk* next) {
    void* at = aligned_reserve(HUGE_PAGE, bytes);
    Chunk* made = at ? new (std::nothrow) Chunk{(uint8_t*)at, bytes, 0, next} : nullptr;
    if (!made) {
        aligned_release(at);
        return nullptr;
    }
#if defined(__linux__)
    madvise(at, bytes, MADV_HUGEPAGE);
#endif
    return made;
}

}  // namespace

struct Arena {
    std::mutex taken;
    size_t chunk_bytes;
    int64_t users = 1;
    Chunk* chunks = nullptr;
};

Arena* arena_new(size_t chunk_bytes) {
    Arena* arena = new (std::nothrow) Arena;
    if (arena) arena->chunk_bytes = chunk_bytes;
    return arena;
}

uint8_t* arena_take(Arena* arena, size_t bytes) {
    std::lock_guard<std::mutex> lock(arena->taken);
    bytes = round_up(bytes, LINE);
    Chunk* chunk = arena->chunks;
    while (chunk && chunk->used + bytes + SLACK > chunk->bytes) chunk = chunk->next;
    if (!chunk) {
        size_t least = round_up(bytes + SLACK, HUGE_PAGE);
        if (least < arena->chunk_bytes) chunk = new_chunk(arena->chunk_bytes, arena->chunks);
        if (!chunk) chunk = new_chunk(least, arena->chunks);
        if (!chunk) return nullptr;
        arena->chunks = chunk;
    }
    uint8_t* at = chunk->data + chunk->used;
    chunk->used += bytes;
    arena->users++;
    return at;
}

size_t arena_reserved(Arena* arena) {
    std::lock_guard<std::mutex> lock(arena->taken);
    size_t all = 0;
    for (Chunk* chunk = arena->chunks; chunk; chunk = chunk->next) all += chunk->bytes;
    return all;
}

void arena_drop(Arena* arena) {
    {
        std::lock_guard<std::mutex> lock(arena->taken);
        if (--arena->users > 0) return;
    }
    for (Chunk* chunk = arena->chunks; chunk;) {
        Chunk* next = chunk->next;
        aligned_release(chunk->data);
        delete chunk;
        chunk = next;
    }
    delete arena;
}
