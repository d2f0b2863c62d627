// Causal convolution per channel: the inputs of earlier positions are in a plane of the cache.
#include "run.h"

bool run_conv(const ConvOp& op, const Run& run) {
    static thread_local Buffer buffer;
    const Plane& plane = run.pass.planes[op.plane];
    const float* x = run.at(op.x);
    float* y = run.at(op.y);
    const float** inputs = (const float**)buffer.raw(run.rows * op.kernel * (int64_t)sizeof(float*));
    if (!inputs) return false;
    for (int64_t row = 0; row < run.rows; row++) {
        CellMap map = run.cell_map(row, plane);
        const uint8_t* slot = plane.data + run.slots[row] * plane.slot_step;
        for (int64_t j = 0; j < op.kernel; j++) {
            int64_t position = run.positions[row] - op.kernel + 1 + j;
            const uint8_t* cell = slot + map.cell(position) * plane.cell_step;
            inputs[row * op.kernel + j] = position < 0 ? nullptr : (const float*)cell;
        }
        inputs[(row + 1) * op.kernel - 1] = x + row * op.x.step;
    }
    run.by_values(op.x.width, [&](int64_t row, int64_t from, int64_t to) {
        float* part = y + row * op.y.step + from;
        run.kernels->convolve(inputs + row * op.kernel, op.weight, op.bias, part, from, to - from, op.kernel);
        if (op.activation != ACT_NONE) run.kernels->gate(op.activation, part, 0, nullptr, part, to - from, 0);
    });
    return true;
}
