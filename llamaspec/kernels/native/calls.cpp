#include "calls.h"

#include "pool.h"
#include "run.h"

namespace {

int64_t bytes_of(int type) { return type == KV_Q8_0 ? 1 : type == KV_F32 ? 4 : 2; }

Plane plane_of(const void* data, int64_t cells, int64_t slot, int64_t head, int64_t cell, int type) {
    int64_t size = bytes_of(type);
    return {(uint8_t*)data, 0, 0, cells, slot * size, head * size, cell * size, 0, type};
}

template <class Run>
void by_runs(int64_t n, int threads, Run run) {
    auto work = [&](int64_t begin, int64_t end) {
        int64_t from = begin * 4096, to = end * 4096 < n ? end * 4096 : n;
        run(from, to - from);
    };
    share(n > ALONE_VALUES ? threads : 1, (n + 4095) / 4096, 1, work);
}

}  // namespace

int llamaspec_products(const Product* products, int n, const float* x, int64_t ldx, int64_t rows, int threads) {
    return multiply(llamaspec_kernels(), x, ldx, rows, products, n, threads) ? 0 : 1;
}

void llamaspec_rms_norm(const float* x, const float* weight, float* y, int64_t rows, int64_t width, float eps,
                        int threads) {
    const Kernels* kernels = llamaspec_kernels();
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++)
            kernels->norm(NORM_RMS, x + row * width, weight, nullptr, y + row * width, width, eps);
    };
    share(rows * width > ALONE_VALUES ? threads : 1, rows, 1 + ALONE_VALUES / 4 / (width + 1), work);
}

void llamaspec_rotate(const float* x, float* y, int64_t rows, int64_t heads, int64_t width, const float* cos,
                      const float* sin, int64_t half, int interleaved, int threads) {
    const Kernels* kernels = llamaspec_kernels();
    int64_t step = heads * width;
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++)
            kernels->rotate(x + row * step, y + row * step, heads, width, 0, cos + row * half, sin + row * half, half,
                            interleaved);
    };
    share(rows * step > ALONE_VALUES ? threads : 1, rows, 1 + ALONE_VALUES / 4 / (step + 1), work);
}

void llamaspec_silu_mul(const float* gate, const float* up, float* y, int64_t n, int threads) {
    const Kernels* kernels = llamaspec_kernels();
    by_runs(n, threads, [&](int64_t at, int64_t count) {
        kernels->gate(ACT_SILU, gate + at, 0, up + at, y + at, count, 0);
    });
}

void llamaspec_add(const float* a, const float* b, float* y, int64_t n, int threads) {
    const Kernels* kernels = llamaspec_kernels();
    by_runs(n, threads, [&](int64_t at, int64_t count) {
        kernels->element(ELEMENT_ADD, a + at, b + at, y + at, count, 0);
    });
}

void llamaspec_store(const float* x, void* cache, const int64_t* slots, const int64_t* cells, int64_t rows,
                     int64_t heads, int64_t width, int64_t slot_step, int64_t head_step, int64_t cell_step, int type) {
    Plane plane = plane_of(cache, 0, slot_step, head_step, cell_step, type);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t head = 0; head < heads; head++)
            append_row(llamaspec_kernels(), plane, slots[row], head, cells[row], x + (row * heads + head) * width,
                       width);
}

int llamaspec_attend(const AttendCall* call, int threads) {
    const AttendCall& c = *call;
    Attention a = {};
    a.q = c.q, a.out = c.out, a.sinks = c.sinks;
    a.positions = c.positions, a.slots = c.slots, a.lengths = c.lengths, a.paths = c.paths, a.path_width = c.path_width;
    a.rows = c.rows, a.heads = c.heads, a.kv_heads = c.kv_heads, a.width = c.width, a.value_width = c.value_width;
    a.q_step = c.q_row, a.out_step = c.out_row, a.window = c.window, a.scale = c.scale, a.softcap = c.softcap;
    a.k = plane_of(c.k, c.cells, c.k_slot, c.k_head, c.k_cell, c.k_type);
    a.v = plane_of(c.v, c.cells, c.v_slot, c.v_head, c.v_cell, c.v_type);
    return attend(llamaspec_kernels(), a, threads) ? 0 : 1;
}
