#include "matmul.h"

#include <stdlib.h>
#include <string.h>

#include <atomic>

#include "pool.h"

namespace {

constexpr int64_t ALONE = 16384;   // values of x that one thread prepares faster than two
constexpr int64_t WIDE_FROM = 40;  // rows from which a matrix unit is worth waking
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

const TypeKernels* tiles_of(const Kernels* kernels, int type) {
    const TypeKernels* at = kernels->types;
    while (at->type != type) at++;
    return at;
}

WideKernel wide_of(const Kernels* kernels, int type) {
    if (!kernels->wide) return nullptr;
    const WideKernels* at = kernels->wide;
    while (at->type != type && at->type != -1) at++;
    return at->panel;
}

// Rows in tiles. For tile kernels: as few as possible, of sizes that differ by at most one. For a wide kernel: of 16
// places each, the last of them empty perhaps.
struct Tiling {
    int64_t rows, tiles;
    bool wide;
    int64_t first(int64_t tile) const { return wide ? tile * WIDE_TILE : rows * tile / tiles; }
    int size(int64_t tile) const { return (int)((tile + 1 < tiles ? first(tile + 1) : rows) - first(tile)); }
    int places(int64_t tile) const { return wide ? WIDE_TILE : size(tile); }
    int64_t all_places() const { return wide ? tiles * WIDE_TILE : rows; }
};

Tiling tiling_of(const Kernels* kernels, const Packed* w, int64_t rows) {
    bool wide = rows >= WIDE_FROM && wide_of(kernels, w->type);
    int most = wide ? WIDE_TILE : w->parts ? kernels->tile_rows : kernels->tile_rows_float;
    return {rows, (rows + most - 1) / most, wide};
}

// x as the kernels want it, in tiles.
struct Prepared {
    Tiling tiling;
    int64_t bytes_per_row;
    uint8_t* data;
    const uint8_t* tile(int64_t i) const { return data + tiling.first(i) * bytes_per_row; }
};

int64_t bytes_per_row(const Packed* w) { return w->length * (w->parts ? Q8_GROUP_BYTES : 16); }

void prepare(const Kernels* kernels, const float* x, int64_t ldx, const Packed* w, const Prepared& to, int threads) {
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; t++) {
            int n = to.tiling.size(t), places = to.tiling.places(t);
            uint8_t* tile = (uint8_t*)to.tile(t);
            const float* from = x + to.tiling.first(t) * ldx;
            if (n < places) memset(tile, 0, (size_t)(places * to.bytes_per_row));
            if (w->parts) kernels->quantize_rows(from, ldx, places, n, w->length, w->offset, w->parts, tile);
            else kernels->copy_rows(from, ldx, places, n, w->columns, tile);
        }
    };
    share(to.tiling.rows * w->columns > ALONE ? threads : 1, to.tiling.tiles, 1, work);
}

bool same_preparation(const Packed* a, const Packed* b) {
    return a->offset == b->offset && a->parts == b->parts && a->columns == b->columns;
}

// Panels [from, to) of one product. False: out of memory.
bool multiply_panels(const Kernels* kernels, const Prepared& x, const Product& p, int64_t from, int64_t to) {
    static thread_local Buffer levels;
    const Packed* w = p.w;
    WideKernel wide = x.tiling.wide ? wide_of(kernels, w->type) : nullptr;
    const TypeKernels* of_type = tiles_of(kernels, w->type);
    if (wide && !levels.need((size_t)(512 * w->length))) return false;
    for (int64_t panel = from; panel < to; panel++) {
        const uint8_t* weights = w->data + panel * w->panel_bytes;
        int64_t column = panel * PANEL, left = w->rows - column;
        Output out = {p.y + column,
                      p.ldy,
                      left < PANEL ? (int)left : PANEL,
                      p.bias ? p.bias + column : nullptr,
                      p.residual ? p.residual + column : nullptr,
                      p.ldy};
        if (wide) {
            wide(weights, w->length, x.data, x.tiling.rows, out, levels.data);
            continue;
        }
        for (int64_t t = 0; t < x.tiling.tiles; t++) {
            of_type->tile[x.tiling.size(t)](weights, w->length, x.tile(t), out);
            int64_t step = x.tiling.size(t) * p.ldy;
            out.y += step;
            if (out.residual) out.residual += step;
        }
    }
    return true;
}

// All products take the same prepared x; their panels are numbered through. False: out of memory.
bool multiply_prepared(const Kernels* kernels, const Prepared& x, const Product* products, int n, int threads) {
    int64_t panels = 0, bytes = 0;
    for (int i = 0; i < n; i++) {
        panels += products[i].w->panels;
        bytes += products[i].w->panels * products[i].w->panel_bytes;
    }
    int64_t grain = PIECE_BYTES / (bytes / panels);
    std::atomic<bool> done{true};
    auto work = [&](int64_t begin, int64_t end) {
        int64_t before = 0;
        for (int i = 0; i < n; before += products[i++].w->panels) {
            int64_t from = begin > before ? begin - before : 0, here = products[i].w->panels;
            int64_t to = end - before < here ? end - before : here;
            if (from < to && !multiply_panels(kernels, x, products[i], from, to)) done = false;
        }
    };
    share(threads, panels, grain > 0 ? grain : 1, work);
    return done;
}

}  // namespace

bool multiply(const Kernels* kernels, const float* x, int64_t ldx, int64_t rows, const Product* products, int n,
              int threads) {
    static thread_local Buffer buffer;
    for (int i = 0; i < n;) {
        int end = i + 1;
        while (end < n && same_preparation(products[i].w, products[end].w)) end++;
        const Packed* w = products[i].w;
        Tiling tiling = tiling_of(kernels, w, rows);
        uint8_t* data = buffer.need((size_t)(tiling.all_places() * bytes_per_row(w)));
        if (!data) return false;
        Prepared prepared = {tiling, bytes_per_row(w), data};
        prepare(kernels, x, ldx, w, prepared, threads);
        if (!multiply_prepared(kernels, prepared, products + i, end - i, threads)) return false;
        i = end;
    }
    return true;
}
