#include <stdlib.h>

#include "api.h"
#include "pool.h"

// One piece of work is some query heads of one kv head and one row.
int llamaspec_attend(const Attention* a, int threads) {
    const Kernels* kernels = llamaspec_kernels();
    int64_t group = a->heads / a->kv_heads, at_once = group < 8 ? group : 8;
    if (a->rows * a->kv_heads < 2 * threads && at_once > 4) at_once = 4;
    int64_t parts = (group + at_once - 1) / at_once, per_row = a->kv_heads * parts;
    int64_t floats = 8 * ((a->width + 15) / 16 * 16 + (a->value_width + 15) / 16 * 16 + 64);
    int64_t seen = 0;
    for (int64_t row = 0; row < a->rows; row++) seen += a->positions[row] + 1;
    bool out_of_memory = false;
    auto work = [&](int64_t begin, int64_t end) {
        float* scratch = (float*)malloc((size_t)floats * sizeof(float));
        if (!scratch) {
            out_of_memory = true;
            return;
        }
        for (int64_t i = begin; i < end; i++) {
            int64_t row = i / per_row, kv_head = i % per_row / parts, part = i % parts;
            int64_t n = group - part * at_once < at_once ? group - part * at_once : at_once;
            kernels->attend(*a, row, kv_head, kv_head * group + part * at_once, n, scratch);
        }
        free(scratch);
    };
    share(seen * a->heads * a->width > ALONE_VALUES ? threads : 1, a->rows * per_row, 1, work);
    return out_of_memory;
}

void llamaspec_store(const float* x, void* cache, const int64_t* slots, const int64_t* cells, int64_t rows, int64_t heads,
                     int64_t width, int64_t slot_step, int64_t head_step, int64_t cell_step, int half) {
    const Kernels* kernels = llamaspec_kernels();
    for (int64_t row = 0; row < rows; row++)
        for (int64_t head = 0; head < heads; head++) {
            const float* from = x + (row * heads + head) * width;
            int64_t at = slots[row] * slot_step + head * head_step + cells[row] * cell_step;
            if (half) kernels->to_half(from, (uint16_t*)cache + at, width);
            else memcpy((float*)cache + at, from, (size_t)width * sizeof(float));
        }
}
