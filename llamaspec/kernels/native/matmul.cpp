#include "matmul.h"

#include <string.h>

#include <atomic>

#include "buffer.h"
#include "pool.h"

namespace {

constexpr int64_t WIDE_FROM = 40;  // rows from which a matrix unit is worth waking
constexpr int64_t PIECE_BYTES = 128 << 10;
constexpr int JOBS_AT_ONCE = 16;

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

// Panels [from, to) of one product. False: out of memory.
bool multiply_panels(const Kernels* kernels, const Prepared& x, const Product& p, int64_t from, int64_t to) {
    static thread_local Buffer quants;
    const Packed* w = p.w;
    WideKernel wide = x.tiling.wide ? wide_of(kernels, w->type) : nullptr;
    const TypeKernels* of_type = tiles_of(kernels, w->type);
    if (wide && !quants.need(512 * w->length)) return false;
    for (int64_t panel = from; panel < to; panel++) {
        const uint8_t* weights = w->panel(p.matrix, panel);
        int64_t column = panel * PANEL, left = w->rows - column;
        Output out = {p.y + column,
                      p.ldy,
                      left < PANEL ? (int)left : PANEL,
                      p.bias ? p.bias + column : nullptr,
                      p.residual ? p.residual + column : nullptr,
                      p.ld_residual};
        if (wide) {
            wide(weights, w->length, x.data, x.tiling.rows, out, (uint8_t*)quants.data);
            continue;
        }
        for (int64_t t = 0; t < x.tiling.tiles; t++) {
            of_type->tile[x.tiling.size(t)](weights, w->length, x.tile(t), out);
            out.y += x.tiling.size(t) * p.ldy;
            if (out.residual) out.residual += x.tiling.size(t) * p.ld_residual;
        }
    }
    return true;
}

}  // namespace

Tiling tiling_of(const Kernels* kernels, const Packed* w, int64_t rows) {
    bool wide = rows >= WIDE_FROM && wide_of(kernels, w->type);
    int most = wide ? WIDE_TILE : w->parts ? kernels->tile_rows : kernels->tile_rows_float;
    return {rows, (rows + most - 1) / most, wide};
}

int64_t record_bytes(const Packed* w) { return w->parts ? Q8_GROUP_BYTES : 16; }

bool same_preparation(const Packed* a, const Packed* b) {
    return a->offset == b->offset && a->parts == b->parts && a->columns == b->columns;
}

Prepared plan_tiles(const Kernels* kernels, const Packed* w, int64_t rows, uint8_t* data) {
    return {tiling_of(kernels, w, rows), w->length * record_bytes(w), data};
}

void prepare_tile(const Kernels* kernels, const float* x, int64_t ldx, const Packed* w, const Prepared& to,
                  int64_t t) {
    int n = to.tiling.size(t), places = to.tiling.places(t);
    uint8_t* tile = to.tile(t);
    const float* from = x + to.tiling.first(t) * ldx;
    if (n < places) memset(tile, 0, (size_t)(places * to.bytes_per_row));
    if (w->parts) kernels->quantize_rows(from, ldx, places, n, w->length, w->offset, w->parts, tile);
    else kernels->copy_rows(from, ldx, places, n, w->columns, tile);
}

bool multiply_jobs(const Kernels* kernels, const Job* jobs, int64_t n, int threads) {
    int64_t panels = 0, bytes = 0;
    for (int64_t i = 0; i < n; i++) {
        panels += jobs[i].product.w->panels;
        bytes += jobs[i].product.w->panels * jobs[i].product.w->panel_bytes;
    }
    if (panels == 0) return true;
    int64_t grain = PIECE_BYTES / (bytes / panels);
    std::atomic<bool> done{true};
    auto work = [&](int64_t begin, int64_t end) {
        int64_t before = 0;
        for (int64_t i = 0; i < n && before < end; before += jobs[i++].product.w->panels) {
            int64_t from = begin > before ? begin - before : 0, here = jobs[i].product.w->panels;
            int64_t to = end - before < here ? end - before : here;
            if (from < to && !multiply_panels(kernels, *jobs[i].x, jobs[i].product, from, to)) done = false;
        }
    };
    share(threads, panels, grain > 0 ? grain : 1, work);
    return done;
}

bool multiply(const Kernels* kernels, const float* x, int64_t ldx, int64_t rows, const Product* products, int n,
              int threads) {
    static thread_local Buffer buffer;
    for (int i = 0; i < n;) {
        Job jobs[JOBS_AT_ONCE];
        const Packed* w = products[i].w;
        Prepared prepared = plan_tiles(kernels, w, rows, nullptr);
        int together = 0;
        for (; i < n && together < JOBS_AT_ONCE && same_preparation(w, products[i].w); i++)
            jobs[together++] = {&prepared, products[i]};
        prepared.data = buffer.raw(prepared.bytes());
        if (!prepared.data) return false;
        auto work = [&](int64_t begin, int64_t end) {
            for (int64_t t = begin; t < end; t++) prepare_tile(kernels, x, ldx, w, prepared, t);
        };
        share(rows * w->columns > PREPARE_ALONE ? threads : 1, prepared.tiling.tiles, 1, work);
        if (!multiply_jobs(kernels, jobs, together, threads)) return false;
    }
    return true;
}
