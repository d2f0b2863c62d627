#include "api.h"
#include "pool.h"

template <class Run>
static void by_runs(int64_t n, int threads, Run run) {
    auto work = [&](int64_t begin, int64_t end) {
        int64_t from = begin * 4096, to = end * 4096 < n ? end * 4096 : n;
        run(from, to - from);
    };
    share(n > ALONE_VALUES ? threads : 1, (n + 4095) / 4096, 1, work);
}

void llamaspec_silu_mul(const float* gate, const float* up, float* y, int64_t n, int threads) {
    const Kernels* kernels = llamaspec_kernels();
    by_runs(n, threads, [&](int64_t at, int64_t count) { kernels->silu_mul(gate + at, up + at, y + at, count); });
}

void llamaspec_add(const float* a, const float* b, float* y, int64_t n, int threads) {
    const Kernels* kernels = llamaspec_kernels();
    by_runs(n, threads, [&](int64_t at, int64_t count) { kernels->add(a + at, b + at, y + at, count); });
}
