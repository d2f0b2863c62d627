#include "run.h"

bool run_rotate(const RotateOp& op, const Run& run) {
    const RopeTable& rope = run.pass.ropes[op.rope];
    const float* x = run.at(op.x);
    float* y = run.at(op.y);
    int64_t width = op.x.width / op.heads;
    run.by_rows(op.x.width, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
            int64_t angles = run.positions[row] * rope.half;
            run.kernels->rotate(x + row * op.x.step, y + row * op.y.step, op.heads, width, op.offset,
                                rope.cos + angles, rope.sin + angles, rope.half, rope.interleaved);
        }
    });
    return true;
}
