#include "run.h"

bool run_norm(const NormOp& op, const Run& run) {
    const float* x = run.at(op.x);
    float* y = run.at(op.y);
    int64_t width = op.x.width / op.groups;
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            int64_t row = i / op.groups, group = i % op.groups;
            run.kernels->norm(op.kind, x + row * op.x.step + group * width,
                              op.weight ? op.weight + group * op.weight_step : nullptr,
                              op.bias ? op.bias + group * op.weight_step : nullptr,
                              y + row * op.y.step + group * width, width, op.eps);
        }
    };
    share(run.rows * op.x.width > ALONE_VALUES ? run.pass.threads : 1, run.rows * op.groups,
          1 + ALONE_VALUES / 4 / (width + 1), work);
    return true;
}
