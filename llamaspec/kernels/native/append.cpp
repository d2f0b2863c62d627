// Keys and values go to the cache.
#include <math.h>
#include <string.h>

#include "half.h"
#include "run.h"

namespace {

// One block of Q8_0 of 32 values: scale = largest / 127, bytes to the nearest, ties to even. Compiled once, for every
// instruction set. A block with a NaN or an infinity gets a scale that hands it on.
void to_q8_0(const float* x, uint8_t* block) {
    float largest = 0;
    for (int i = 0; i < Q8_0_VALUES; i++) {
        float size = fabsf(x[i]);
        largest = size > largest || size != size ? size : largest;
    }
    float scale = largest / 127.0f, inverse = scale != 0 ? 1.0f / scale : 0.0f;
    write_u16(block, float_to_half(scale));
    for (int i = 0; i < Q8_0_VALUES; i++) {
        float value = x[i] * inverse;
        value = value < 127.0f ? value : value == value ? 127.0f : 0.0f;
        value = value > -127.0f ? value : -127.0f;
        block[2 + i] = (uint8_t)(int8_t)(int)(value + 12582912.0f - 12582912.0f);  // 1.5 * 2^23: the adder rounds
    }
}

}  // namespace

void append_row(const Kernels* kernels, const Plane& plane, int64_t slot, int64_t head, int64_t cell, const float* x,
                int64_t width) {
    uint8_t* to = plane.data + slot * plane.slot_step + head * plane.head_step + cell_in(plane, cell) * plane.cell_step;
    if (plane.type == KV_Q8_0)
        for (int64_t i = 0; i < width / Q8_0_VALUES; i++) to_q8_0(x + i * Q8_0_VALUES, to + i * Q8_0_BYTES);
    else if (plane.type == KV_F16) kernels->to_half(x, to, width);
    else if (plane.type == KV_BF16)
        for (int64_t i = 0; i < width; i++) write_u16(to + 2 * i, float_to_bf16(x[i]));
    else memcpy(to, x, (size_t)width * sizeof(float));
}

bool run_append(const AppendOp& op, const Run& run) {
    const Plane& plane = run.pass.planes[op.plane];
    const float* x = run.at(op.x);
    int64_t width = op.x.width / op.heads;
    run.by_rows(op.x.width, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
            if (run.cells[row] == PADDING) continue;
            for (int64_t head = 0; head < op.heads; head++)
                append_row(run.kernels, plane, run.slots[row], head, run.cells[row], x + row * op.x.step + head * width,
                           width);
        }
    });
    return true;
}
