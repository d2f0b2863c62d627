// Runs a tape: checks the pass against everything that the operations index with it, then one operation after another.
#include "tape.h"

#include <string.h>

#include "api.h"
#include "run.h"

namespace {

struct Range {  // of numbers that come from outside
    int64_t least = 0, most = -1;
    bool within(int64_t limit) const { return least >= 0 && most < limit; }
};

Range range_of(const int64_t* values, int64_t n) {
    if (n == 0 || !values) return {};
    Range found = {values[0], values[0]};
    for (int64_t i = 1; i < n; i++) {
        found.least = values[i] < found.least ? values[i] : found.least;
        found.most = values[i] > found.most ? values[i] : found.most;
    }
    return found;
}

struct Ranges {
    const Pass& pass;
    Range slots, cells, positions;

    bool plane(int64_t number, bool by_position) const {
        const Plane& plane = pass.planes[number];
        if (!slots.within(plane.slots) || cells.least < PADDING || positions.least < 0) return false;
        return plane.ring > 0 || (cells.most < plane.cells && (!by_position || positions.most < plane.cells));
    }

    // The inputs from the base state to the committed length are to be there still.
    bool marks(const DeltaOp& op) const {
        const Plane &marks = pass.planes[op.marks], &inputs = pass.planes[op.inputs];
        for (int64_t row = 0; row < pass.rows; row++) {
            if (pass.cells[row] == PADDING) continue;
            int64_t length = pass.lengths[row];
            const int64_t* mark = (const int64_t*)(marks.data + pass.slots[row] * marks.slot_step);
            if (length < mark[0] || pass.positions[row] < length) return false;
            int64_t replayed = length == mark[1] ? 0 : length - mark[0];
            if (replayed > (inputs.ring ? inputs.ring : inputs.cells)) return false;
        }
        return true;
    }

    bool op(const Op& op) const {
        switch (op.kind) {
            case OP_EMBED: {
                const EmbedOp& embed = *(const EmbedOp*)op.arguments;
                bool tokens = pass.tokens && embed.weight;
                return pass.hidden || (tokens && range_of(pass.tokens, pass.rows).within(embed.vocabulary));
            }
            case OP_LOOKUP: {
                const LookupOp& lookup = *(const LookupOp*)op.arguments;
                if (lookup.by_position) return positions.within(lookup.count);
                return pass.tokens && range_of(pass.tokens, pass.rows).within(lookup.count);
            }
            case OP_ROTATE: {
                const RopeTable& rope = pass.ropes[((const RotateOp*)op.arguments)->rope];
                return positions.least >= 0 && positions.most < rope.positions;
            }
            case OP_APPEND: return plane(((const AppendOp*)op.arguments)->plane, false);
            case OP_ATTEND: {
                const AttendOp& attend = *(const AttendOp*)op.arguments;
                return plane(attend.k, true) && plane(attend.v, true);
            }
            case OP_INDEX: return plane(((const IndexOp*)op.arguments)->keys, true);
            case OP_CONV: return plane(((const ConvOp*)op.arguments)->plane, true);
            case OP_DELTA: {
                const DeltaOp& delta = *(const DeltaOp*)op.arguments;
                return plane(delta.inputs, true) && slots.within(pass.planes[delta.states].slots) &&
                       slots.within(pass.planes[delta.marks].slots) && marks(delta);
            }
            default: return true;
        }
    }
};

bool in_range(const Op* ops, int64_t n, const Pass& pass) {
    if (pass.wanted_rows > pass.rows || pass.wanted_rows < 0) return false;
    if (pass.wanted && !range_of(pass.wanted, pass.wanted_rows).within(pass.rows)) return false;
    Ranges ranges = {pass, range_of(pass.slots, pass.rows), range_of(pass.cells, pass.rows),
                     range_of(pass.positions, pass.rows)};
    for (int64_t i = 0; i < n; i++)
        if (!ranges.op(ops[i])) return false;
    return true;
}

// What KVIndex says of the wanted rows alone. False: out of memory.
bool choose_rows(const Pass& pass, Run& run) {
    static thread_local Buffer buffer;
    run.rows = pass.wanted_rows;
    if (!pass.wanted) return true;
    int64_t n = pass.wanted_rows, width = pass.paths ? pass.path_width : 0;
    int64_t* to = buffer.numbers(n * (4 + width) + 1);
    if (!to) return false;
    const int64_t** const each[] = {&run.cells, &run.positions, &run.slots, &run.lengths};
    for (const int64_t** values : each) {
        if (!*values) continue;
        for (int64_t i = 0; i < n; i++) to[i] = (*values)[pass.wanted[i]];
        *values = to, to += n;
    }
    if (!run.paths) return true;
    for (int64_t i = 0; i < n; i++)
        memcpy(to + i * width, run.paths + pass.wanted[i] * width, (size_t)width * sizeof(int64_t));
    run.paths = to;
    return true;
}

bool run_op(const Op& op, const Run& run) {
#define CASE(kind, Arguments, function) \
    case kind: return function(*(const Arguments*)op.arguments, run);
    switch (op.kind) {
        CASE(OP_EMBED, EmbedOp, run_embed)
        CASE(OP_SELECT, SelectOp, run_select)
        CASE(OP_MARK, MarkOp, run_mark)
        CASE(OP_NORM, NormOp, run_norm)
        CASE(OP_PRODUCTS, ProductsOp, run_products)
        CASE(OP_HEADS, HeadsOp, run_heads)
        CASE(OP_COPY, CopyOp, run_copy)
        CASE(OP_ROTATE, RotateOp, run_rotate)
        CASE(OP_APPEND, AppendOp, run_append)
        CASE(OP_ATTEND, AttendOp, run_attend)
        CASE(OP_GATE, GateOp, run_gate)
        CASE(OP_ELEMENT, ElementOp, run_element)
        CASE(OP_ROUTE, RouteOp, run_route)
        CASE(OP_EXPERTS, ExpertsOp, run_experts)
        CASE(OP_CONV, ConvOp, run_conv)
        CASE(OP_DELTA, DeltaOp, run_delta)
        CASE(OP_DECAY, DecayOp, run_decay)
        CASE(OP_LOOKUP, LookupOp, run_lookup)
        CASE(OP_TEMPER, TemperOp, run_temper)
        CASE(OP_INDEX, IndexOp, run_index)
    }
#undef CASE
    return true;
}

}  // namespace

int llamaspec_run(const Op* ops, int64_t n, const Pass* pass) {
    if (pass->rows <= 0) return PASS_DONE;
    if (!in_range(ops, n, *pass)) return PASS_OUT_OF_RANGE;
    Run all = {llamaspec_kernels(), *pass,       pass->rows,   pass->cells, pass->positions,
               pass->slots,         pass->lengths, pass->paths};
    Run wanted = all;
    if (!choose_rows(*pass, wanted)) return PASS_OUT_OF_MEMORY;
    for (int64_t i = 0; i < n; i++) {
        const Run& run = ops[i].wanted || ops[i].kind == OP_SELECT ? wanted : all;
        if (run.rows > 0 && !run_op(ops[i], run)) return PASS_OUT_OF_MEMORY;
    }
    return PASS_DONE;
}
