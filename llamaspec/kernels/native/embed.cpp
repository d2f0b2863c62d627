// Where rows come from, where they go: embedding, selection, features, parts of rows.
#include <string.h>

#include "pack.h"
#include "run.h"

bool run_embed(const EmbedOp& op, const Run& run) {
    const Pass& pass = run.pass;
    int64_t width = op.y.width, bytes = op.weight ? row_bytes(op.type, width) : 0;
    float* y = run.at(op.y);
    run.by_rows(width, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
            float* to = y + row * op.y.step;
            if (pass.hidden) {
                memcpy(to, pass.hidden + row * width, (size_t)width * sizeof(float));
                continue;
            }
            unpack_row(op.type, op.weight + pass.tokens[row] * bytes, width, to);
            if (op.scale != 1) run.kernels->element(ELEMENT_SCALE, to, nullptr, to, width, op.scale);
        }
    });
    return true;
}

bool run_lookup(const LookupOp& op, const Run& run) {
    int64_t bytes = row_bytes(op.type, op.y.width);
    const int64_t* numbers = op.by_position ? run.positions : run.pass.tokens;
    float* y = run.at(op.y);
    run.by_rows(op.y.width, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
            float* to = y + row * op.y.step;
            unpack_row(op.type, op.weight + numbers[row] * bytes, op.y.width, to);
            if (op.scale != 1) run.kernels->element(ELEMENT_SCALE, to, nullptr, to, op.y.width, op.scale);
        }
    });
    return true;
}

static void copy_rows(const float* x, int64_t x_step, float* y, int64_t y_step, int64_t width, const Run& run,
                      const int64_t* numbers) {
    run.by_rows(width, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++)
            memcpy(y + row * y_step, x + (numbers ? numbers[row] : row) * x_step, (size_t)width * sizeof(float));
    });
}

bool run_select(const SelectOp& op, const Run& run) {
    copy_rows(run.at(op.x), op.x.step, run.at(op.y), op.y.step, op.x.width, run, run.pass.wanted);
    return true;
}

bool run_mark(const MarkOp& op, const Run& run) {
    float* to = op.number < run.pass.n_features ? run.pass.features[op.number] : nullptr;
    if (to) copy_rows(run.at(op.x), op.x.step, to, op.x.width, op.x.width, run, nullptr);
    return true;
}

bool run_copy(const CopyOp& op, const Run& run) {
    const float* x = run.at(op.x) + op.x_offset;
    float* y = run.at(op.y) + op.y_offset;
    run.by_rows(op.heads * op.width, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++)
            for (int64_t head = 0; head < op.heads; head++)
                memcpy(y + row * op.y.step + head * op.y_step, x + row * op.x.step + head * op.x_step,
                       (size_t)op.width * sizeof(float));
    });
    return true;
}
