#include "api.h"
#include "pool.h"

void llamaspec_rms_norm(const float* x, const float* weight, float* y, int64_t rows, int64_t width, float eps,
                        int threads) {
    const Kernels* kernels = llamaspec_kernels();
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++)
            kernels->rms_norm(x + row * width, weight, y + row * width, width, eps);
    };
    share(rows * width > ALONE_VALUES ? threads : 1, rows, 1 + ALONE_VALUES / 4 / (width + 1), work);
}
