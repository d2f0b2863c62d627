#include "matmul.h"

#include <stdlib.h>

#include "pool.h"

namespace {

constexpr int64_t ALONE = 16384;  // values of x that one thread prepares faster than two
constexpr int64_t PIECE_BYTES = 128 << 10;

struct Buffer {  // kept between calls: the decode path allocates nothing
    uint8_t* data = nullptr;
    size_t bytes = 0;
    uint8_t* need(size_t n) {
        if (n <= bytes) return data;
        free(data);
        data = nullptr, bytes = 0;
        void* at = nullptr;
#if defined(_WIN32)
        at = _aligned_malloc(n, 64);
#else
        if (posix_memalign(&at, 64, n) != 0) at = nullptr;
#endif
        if (at) data = (uint8_t*)at, bytes = n;
        return data;
    }
    ~Buffer() { free(data); }
};

// Rows in as few tiles as possible, of sizes that differ by at most one.
struct Tiling {
    int64_t rows, tiles;
    Tiling(int64_t rows, int most) : rows(rows), tiles((rows + most - 1) / most) {}
    int64_t first(int64_t tile) const { return rows * tile / tiles; }
    int size(int64_t tile) const { return (int)(first(tile + 1) - first(tile)); }
};

const QuantKernels* kernels_of(const Kernels* kernels, int type) {
    const QuantKernels* at = kernels->quants;
    while (at->type != type) at++;
    return at;
}

int64_t record_bytes(const Packed* w) { return w->parts ? ROUNDED_BYTES : 16; }

void prepare(const Kernels* kernels, const float* x, int64_t ldx, const Packed* w, const Tiling& tiling, uint8_t* to, int threads) {
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; t++) {
            int n = tiling.size(t);
            uint8_t* tile = to + tiling.first(t) * w->length * record_bytes(w);
            const float* from = x + tiling.first(t) * ldx;
            if (w->parts) kernels->round_rows(from, ldx, n, n, w->length, w->offset, w->parts, tile);
            else kernels->copy_rows(from, ldx, n, n, w->columns, tile);
        }
    };
    share(tiling.rows * w->columns > ALONE ? threads : 1, tiling.tiles, 1, work);
}

bool same_preparation(const Packed* a, const Packed* b) {
    return a->offset == b->offset && a->parts == b->parts && a->columns == b->columns;
}

// Products [0, n) take the same prepared x; their panels are numbered through.
void multiply_prepared(const Kernels* kernels, const uint8_t* x, const Tiling& tiling, const Product* products, int n, int threads) {
    int64_t panels = 0, bytes = 0;
    for (int i = 0; i < n; i++) panels += products[i].w->panels, bytes += products[i].w->panels * products[i].w->panel_bytes;
    int64_t grain = PIECE_BYTES / (bytes / panels);
    auto work = [&](int64_t begin, int64_t end) {
        int64_t before = 0;
        for (int i = 0; i < n; before += products[i++].w->panels) {
            const Product& p = products[i];
            const Packed* w = p.w;
            const QuantKernels* of_type = kernels_of(kernels, w->type);
            int64_t from = begin > before ? begin - before : 0, to = end - before < w->panels ? end - before : w->panels;
            for (int64_t panel = from; panel < to; panel++) {
                int64_t column = panel * PANEL, left = w->rows - column;
                for (int64_t t = 0; t < tiling.tiles; t++) {
                    int64_t row = tiling.first(t);
                    Output out = {p.y + row * p.ldy + column, p.ldy, left < PANEL ? (int)left : PANEL,
                                  p.bias ? p.bias + column : nullptr,
                                  p.residual ? p.residual + row * p.ldy + column : nullptr, p.ldy};
                    of_type->tile[tiling.size(t)](w->data + panel * w->panel_bytes, w->length,
                                                  x + row * w->length * record_bytes(w), out);
                }
            }
        }
    };
    share(threads, panels, grain > 0 ? grain : 1, work);
}

}  // namespace

bool multiply(const Kernels* kernels, const float* x, int64_t ldx, int64_t rows, const Product* products, int n, int threads) {
    static thread_local Buffer buffer;
    for (int i = 0; i < n;) {
        int end = i + 1;
        while (end < n && same_preparation(products[i].w, products[end].w)) end++;
        const Packed* w = products[i].w;
        Tiling tiling(rows, w->parts ? kernels->tile_rows : kernels->tile_rows_float);
        uint8_t* prepared = buffer.need((size_t)(rows * w->length * record_bytes(w)));
        if (!prepared) return false;
        prepare(kernels, x, ldx, w, tiling, prepared, threads);
        multiply_prepared(kernels, prepared, tiling, products + i, end - i, threads);
        i = end;
    }
    return true;
}
