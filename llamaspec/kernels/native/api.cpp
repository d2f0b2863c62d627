#include "api.h"

#include <atomic>

#include "cpu.h"
#include "pool.h"

static std::atomic<const Kernels*> in_use{nullptr};

const Kernels* llamaspec_kernels() {
    const Kernels* kernels = in_use.load(std::memory_order_relaxed);
    if (kernels) return kernels;
    kernels = best_kernels();
    in_use.store(kernels);
    return kernels;
}

int llamaspec_version() { return 4; }
int llamaspec_cores() { return cores(); }
const char* llamaspec_isa() { return llamaspec_kernels()->name; }

int llamaspec_use(const char* isa) {
    const Kernels* kernels = kernels_named(isa);
    if (!kernels) return 1;
    in_use.store(kernels);
    return 0;
}

int64_t llamaspec_row_bytes(int type, int64_t columns) { return row_bytes(type, columns); }

Packed* llamaspec_pack(int type, const uint8_t* bytes, int64_t rows, int64_t columns, int threads) {
    return pack(type, bytes, rows, columns, threads);
}

void llamaspec_release(Packed* packed) { release(packed); }
const uint8_t* llamaspec_packed_data(const Packed* packed) { return packed->data; }
int64_t llamaspec_packed_bytes(const Packed* packed) { return packed->panels * packed->panel_bytes; }

void llamaspec_rows(int type, const uint8_t* bytes, int64_t columns, const int64_t* ids, int64_t n, float* out) {
    int64_t step = row_bytes(type, columns);
    for (int64_t i = 0; i < n; i++) unpack_row(type, bytes + ids[i] * step, columns, out + i * columns);
}

int llamaspec_matmul(const Packed* w, const float* x, int64_t rows, float* y, int threads) {
    Product product = {w, y, w->rows, nullptr, nullptr};
    return multiply(llamaspec_kernels(), x, w->columns, rows, &product, 1, threads) ? 0 : 1;
}

int llamaspec_products(const Product* products, int n, const float* x, int64_t ldx, int64_t rows, int threads) {
    return multiply(llamaspec_kernels(), x, ldx, rows, products, n, threads) ? 0 : 1;
}
