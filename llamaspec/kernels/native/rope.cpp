#include "api.h"
#include "pool.h"

void llamaspec_rotate(const float* x, float* y, int64_t rows, int64_t heads, int64_t width, const float* cos,
                      const float* sin, int64_t half, int interleaved, int threads) {
    const Kernels* kernels = llamaspec_kernels();
    int64_t step = heads * width;
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++)
            kernels->rotate(x + row * step, y + row * step, heads, width, cos + row * half, sin + row * half, half,
                            interleaved);
    };
    share(rows * step > ALONE_VALUES ? threads : 1, rows, 1 + ALONE_VALUES / 4 / (step + 1), work);
}
