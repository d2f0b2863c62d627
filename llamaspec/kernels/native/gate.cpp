#include <math.h>

#include "run.h"

bool run_gate(const GateOp& op, const Run& run) {
    bool one_gate = op.gate.width == 1 && op.y.width > 1;
    const float *gate = run.at(op.gate), *up = op.up.width ? run.at(op.up) : nullptr;
    float* y = run.at(op.y);
    run.by_values(op.y.width, [&](int64_t row, int64_t from, int64_t to) {
        run.kernels->gate(op.activation, gate + row * op.gate.step + (one_gate ? 0 : from), one_gate,
                          up ? up + row * op.up.step + from : nullptr, y + row * op.y.step + from, to - from,
                          op.limit);
    });
    return true;
}

bool run_element(const ElementOp& op, const Run& run) {
    bool two = op.kind == ELEMENT_ADD || op.kind == ELEMENT_MULTIPLY;
    const float *a = run.at(op.a), *b = two ? run.at(op.b) : a;
    int64_t b_step = two ? op.b.step : op.a.step;
    float* y = run.at(op.y);
    run.by_values(op.y.width, [&](int64_t row, int64_t from, int64_t to) {
        run.kernels->element(op.kind, a + row * op.a.step + from, b + row * b_step + from, y + row * op.y.step + from,
                             to - from, op.factor);
    });
    return true;
}

bool run_temper(const TemperOp& op, const Run& run) {
    const float* x = run.at(op.x);
    float* y = run.at(op.y);
    run.by_values(op.y.width, [&](int64_t row, int64_t from, int64_t to) {
        double steps = (double)((run.positions[row] + op.offset) / op.length);
        float factor = (float)(1.0 + op.scale * log(1.0 + steps));
        const float* values = x + row * op.x.step + from;
        run.kernels->element(ELEMENT_SCALE, values, values, y + row * op.y.step + from, to - from, factor);
    });
    return true;
}

bool run_decay(const DecayOp& op, const Run& run) {
    const float* x = run.at(op.x);
    float* y = run.at(op.y);
    run.by_values(op.y.width, [&](int64_t row, int64_t from, int64_t to) {
        run.kernels->decay(x + row * op.x.step + from, op.bias + from, op.rate + from, y + row * op.y.step + from,
                           to - from);
    });
    return true;
}
