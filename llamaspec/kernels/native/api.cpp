#include "api.h"

#include <atomic>

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "cpu.h"
#include "matmul.h"
#include "pool.h"

static std::atomic<const Kernels*> in_use{nullptr};

const Kernels* llamaspec_kernels() {
    const Kernels* kernels = in_use.load(std::memory_order_relaxed);
    if (kernels) return kernels;
    kernels = best_kernels();
    in_use.store(kernels);
    return kernels;
}

int llamaspec_version() { return 7; }
int llamaspec_cores() { return cores(); }
const char* llamaspec_isa() { return llamaspec_kernels()->name; }

int llamaspec_use(const char* isa) {
    const Kernels* kernels = kernels_named(isa);
    if (!kernels) return 1;
    in_use.store(kernels);
    return 0;
}

int64_t llamaspec_row_bytes(int type, int64_t columns) { return row_bytes(type, columns); }

Packed* llamaspec_pack(Arena* arena, int type, const uint8_t* bytes, int64_t count, int64_t rows, int64_t columns,
                       int threads, int mapped) {
    return pack(arena, type, bytes, count, rows, columns, threads, mapped != 0);
}

Arena* llamaspec_arena_new() {
    constexpr size_t CHUNK = 256 << 20;  // little is lost at the ends of chunks: what is not touched is not resident
    return arena_new(CHUNK);
}
void llamaspec_arena_release(Arena* arena) { arena_drop(arena); }
int64_t llamaspec_arena_reserved(Arena* arena) { return (int64_t)arena_reserved(arena); }

void llamaspec_release(Packed* packed) { release(packed); }
const uint8_t* llamaspec_packed_data(const Packed* packed) { return packed->data; }
int64_t llamaspec_packed_bytes(const Packed* packed) { return packed->bytes(); }

void llamaspec_rows(int type, const uint8_t* bytes, int64_t columns, const int64_t* ids, int64_t n, float* out) {
    int64_t step = row_bytes(type, columns);
    for (int64_t i = 0; i < n; i++) unpack_row(type, bytes + ids[i] * step, columns, out + i * columns);
}

int llamaspec_matmul(const Packed* w, const float* x, int64_t rows, float* y, int threads) {
    Product product = {w, y, w->rows, nullptr, nullptr, 0, 0};
    return multiply(llamaspec_kernels(), x, w->columns, rows, &product, 1, threads) ? 0 : 1;
}
