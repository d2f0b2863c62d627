// The gated delta rule. A state belongs to a slot and a value head; rows read the base state and never change it.
#include <string.h>

#include "run.h"

namespace {

struct Mark {  // of a slot
    int64_t base, ahead, half;  // tokens in the base state; in the one ahead, or -1; which half holds the base
};

// Rows of one slot, and what is to happen to its states.
struct SlotRows {
    const int64_t* rows;
    int64_t n, slot, length;
    Mark before, after;
    bool extends;  // the rows go on where the state ahead ends
};

struct Delta {
    const DeltaOp& op;
    const Run& run;
    const Plane &inputs, &states;
    const float *q, *k, *v, *beta, *decay;
    float* y;
    DeltaStep how;

    Mark* mark(int64_t slot) const {
        const Plane& marks = run.pass.planes[op.marks];
        return (Mark*)(marks.data + slot * marks.slot_step);
    }
    float* state(int64_t slot, int64_t half, int64_t head) const {
        return (float*)(states.data + slot * states.slot_step + (half * op.heads + head) * states.head_step);
    }
    float* input(int64_t slot, int64_t cell) const {
        return (float*)(inputs.data + slot * inputs.slot_step + cell * inputs.cell_step);
    }
    int64_t key_head(int64_t head) const {
        return op.tiled ? head % op.key_heads : head / (op.heads / op.key_heads);
    }

    int64_t keys() const { return op.key_heads * op.size; }
    int64_t values() const { return op.heads * op.value_size; }
    int64_t decays() const { return op.by_channel ? op.size : 1; }  // of a head

    void keep_inputs(int64_t row) const {
        int64_t keys = this->keys(), values = this->values();
        float* to = input(run.slots[row], cell_in(inputs, run.cells[row]));
        memcpy(to, k + row * op.k.step, (size_t)keys * sizeof(float));
        memcpy(to + keys, v + row * op.v.step, (size_t)values * sizeof(float));
        memcpy(to + keys + values, beta + row * op.beta.step, (size_t)op.heads * sizeof(float));
        memcpy(to + keys + values + op.heads, decay + row * op.decay.step, (size_t)(op.heads * decays()) * sizeof(float));
    }

    // One step over the inputs in a cell.
    void replay(int64_t slot, int64_t cell, int64_t head, const float* from, float* to) const {
        const float *in = input(slot, cell), *beta_in = in + keys() + values();
        run.kernels->delta(how, from, to, nullptr, in + key_head(head) * op.size, in + keys() + head * op.value_size,
                           beta_in[head], beta_in + op.heads + head * decays(), nullptr);
    }

    void step(int64_t row, int64_t head, const float* from, float* to) const {
        int64_t key = key_head(head) * op.size;
        const float* value = v + row * op.v.step + head * op.value_size;
        float* out = y + row * op.y.step + head * op.value_size;
        run.kernels->delta(how, from, to, q + row * op.q.step + key, k + row * op.k.step + key, value,
                           beta[row * op.beta.step + head], decay + row * op.decay.step + head * decays(), out);
        if (op.skip) run.kernels->add_scaled(value, op.skip[head], out, op.value_size);
    }

    bool continues(int64_t row, int64_t before) const {
        if (run.positions[row] != run.positions[before] + 1) return false;
        if (!run.paths) return true;
        const int64_t *path = run.paths + row * run.pass.path_width, *other = run.paths + before * run.pass.path_width;
        int64_t steps = run.positions[before] - run.lengths[before];
        return memcmp(path, other, (size_t)steps * sizeof(int64_t)) == 0 && path[steps] == run.cells[before];
    }

    // Whether the row's own branch is where it would be if it were committed.
    bool in_place(int64_t row) const {
        if (run.cells[row] != run.positions[row]) return false;
        if (!run.paths) return true;
        int64_t length = run.lengths[row];
        for (int64_t step = 0; step < run.positions[row] - length; step++)
            if (run.paths[row * run.pass.path_width + step] != length + step) return false;
        return true;
    }

    // What the pass does to the states of the slot.
    void plan(SlotRows& s) const {
        s.before = *mark(s.slot), s.after = s.before;
        if (s.length != s.before.base && s.length == s.before.ahead) s.after.half = 1 - s.before.half;
        s.after.base = s.length, s.after.ahead = -1;
        int64_t first = run.positions[s.rows[0]];
        s.extends = first > s.length && first == s.before.ahead;
        bool chain = s.extends || first == s.length;
        for (int64_t i = 0; i < s.n && chain; i++)
            chain = in_place(s.rows[i]) && (i == 0 || continues(s.rows[i], s.rows[i - 1]));
        s.extends = s.extends && chain;
        if (chain) s.after.ahead = first + s.n;
    }

    void run_head(const SlotRows& s, int64_t head) const {
        float *base = state(s.slot, s.after.half, head), *ahead = state(s.slot, 1 - s.after.half, head);
        if (s.after.half == s.before.half)
            for (int64_t position = s.before.base; position < s.length; position++)
                replay(s.slot, cell_in(inputs, position), head, base, base);
        for (int64_t i = 0; i < s.n; i++) {
            int64_t row = s.rows[i];
            const float* from = ahead;
            if (i > 0 ? !continues(row, s.rows[i - 1]) : !s.extends) {
                CellMap map = run.cell_map(row, inputs);
                from = base;
                for (int64_t position = s.length; position < run.positions[row]; position++, from = ahead)
                    replay(s.slot, map.cell(position), head, from, ahead);
            }
            step(row, head, from, ahead);
        }
    }
};

}  // namespace

bool run_delta(const DeltaOp& op, const Run& run) {
    static thread_local Buffer of_rows, of_slots;
    const Plane &inputs = run.pass.planes[op.inputs], &states = run.pass.planes[op.states];
    Delta delta = {op,         run,        inputs,        states,          run.at(op.q),
                   run.at(op.k), run.at(op.v), run.at(op.beta), run.at(op.decay), run.at(op.y),
                   {op.size, op.value_size, op.corrected, op.by_channel, op.scale}};
    int64_t* numbers = of_rows.numbers(run.rows);
    SlotRows* slots = (SlotRows*)of_slots.raw(run.rows * (int64_t)sizeof(SlotRows));
    if (!numbers || !slots) return false;
    int64_t n_slots = 0;
    for (int64_t row = 0; row < run.rows; row++) {
        bool known = false;
        if (run.cells[row] == PADDING) {
            memset(delta.y + row * op.y.step, 0, (size_t)(op.heads * op.value_size) * sizeof(float));
            continue;
        }
        for (int64_t i = 0; i < n_slots && !known; i++) known = slots[i].slot == run.slots[row];
        if (known) continue;
        SlotRows& s = slots[n_slots++];
        s = {numbers, 0, run.slots[row], run.lengths[row], {}, {}, false};
        for (int64_t other = row; other < run.rows; other++)
            if (run.slots[other] == s.slot && run.cells[other] != PADDING) numbers[s.n++] = other;
        numbers += s.n;
        delta.plan(s);
    }
    for (int64_t row = 0; row < run.rows; row++)
        if (run.cells[row] != PADDING) delta.keep_inputs(row);
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) delta.run_head(slots[i / op.heads], i % op.heads);
    };
    bool alone = run.rows * op.heads * op.size * op.value_size <= ALONE_VALUES;
    share(alone ? 1 : run.pass.threads, n_slots * op.heads, 1, work);
    for (int64_t i = 0; i < n_slots; i++) *delta.mark(slots[i].slot) = slots[i].after;
    return true;
}
