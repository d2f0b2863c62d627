// A mixture of experts: pairs of a row and an expert are sorted by expert, so that an expert's weights are read once
// for all its rows, and all chosen experts are multiplied in one go. A row of a product has the same bits in any
// company, and a row adds up its experts in the order of their numbers.
#include <string.h>

#include "matmul.h"
#include "run.h"

namespace {

struct Group {  // the pairs [first, first + rows) of one expert
    int64_t expert, first, rows;
};

struct Pairs {
    int64_t n, used, n_groups;
    int64_t *row, *place;  // [n]: the row of a pair; the pair of (row, i)
    float* weight;         // [n]
    Group* groups;
};

template <class T>
T* cut(uint8_t** memory, int64_t n) {
    T* part = (T*)*memory;
    *memory += (n * (int64_t)sizeof(T) + 63) / 64 * 64;
    return part;
}

// False: out of memory.
bool sort_pairs(const ExpertsOp& op, const Run& run, Pairs* pairs) {
    static thread_local Buffer buffer;
    int64_t experts = op.up->count, n = run.rows * op.used;
    uint8_t* memory = buffer.raw(n * 24 + experts * (int64_t)(sizeof(Group) + 8) + 64 * 5);
    if (!memory) return false;
    *pairs = {n, op.used, 0, cut<int64_t>(&memory, n), cut<int64_t>(&memory, n), cut<float>(&memory, n),
              cut<Group>(&memory, experts)};
    int64_t* next = cut<int64_t>(&memory, experts);
    const float *chosen = run.at(op.chosen), *weights = run.at(op.weights);
    auto expert = [&](int64_t i) {
        return ((const int32_t*)(chosen + i / op.used * op.chosen.step))[i % op.used];
    };
    memset(next, 0, (size_t)experts * sizeof(int64_t));
    for (int64_t i = 0; i < n; i++) next[expert(i)]++;
    for (int64_t e = 0, first = 0; e < experts; e++) {
        int64_t rows = next[e];
        if (rows) pairs->groups[pairs->n_groups++] = {e, first, rows};
        next[e] = first, first += rows;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t at = next[expert(i)]++, row = i / op.used;
        pairs->place[i] = at, pairs->row[at] = row;
        pairs->weight[at] = weights[row * op.weights.step + i % op.used];
    }
    return true;
}

// Tiles of all groups, numbered through.
struct GroupTiles {
    Prepared* of_group;
    int64_t tiles;
    // work(group, tile) for tiles [begin, end)
    template <class Work>
    void each(const Pairs& pairs, int64_t begin, int64_t end, Work work) const {
        int64_t before = 0;
        for (int64_t g = 0; g < pairs.n_groups && before < end; before += of_group[g++].tiling.tiles)
            for (int64_t t = 0; t < of_group[g].tiling.tiles; t++)
                if (before + t >= begin && before + t < end) work(g, t);
    }
};

// False: out of memory.
bool plan_groups(const Kernels* kernels, const Packed* w, const Pairs& pairs, Buffer& of_plan, Buffer& of_tiles,
                 GroupTiles* tiles) {
    *tiles = {(Prepared*)of_plan.raw(pairs.n_groups * (int64_t)sizeof(Prepared)), 0};
    if (!tiles->of_group) return false;
    int64_t bytes = 0;
    for (int64_t g = 0; g < pairs.n_groups; g++) {
        tiles->of_group[g] = plan_tiles(kernels, w, pairs.groups[g].rows, nullptr);
        tiles->tiles += tiles->of_group[g].tiling.tiles;
        bytes += tiles->of_group[g].bytes();
    }
    uint8_t* at = of_tiles.raw(bytes);
    if (!at) return false;
    for (int64_t g = 0; g < pairs.n_groups; at += tiles->of_group[g++].bytes()) tiles->of_group[g].data = at;
    return true;
}

// x of every pair in tiles: each row is quantized once, and its records are copied into the tiles of its experts.
// False: out of memory.
bool prepare_input(const ExpertsOp& op, const Run& run, const Packed* w, const Pairs& pairs, const GroupTiles& tiles) {
    static thread_local Buffer buffer;
    const float* x = run.at(op.x);
    int64_t record = record_bytes(w), per_row = w->length * record;
    int threads = pairs.n * w->columns > PREPARE_ALONE ? run.pass.threads : 1;
    if (op.weigh_input) {
        float* weighed = buffer.floats(pairs.n * w->columns);
        if (!weighed) return false;
        auto work = [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i++)
                run.kernels->element(ELEMENT_SCALE, x + pairs.row[i] * op.x.step, nullptr, weighed + i * w->columns,
                                     w->columns, pairs.weight[i]);
        };
        share(threads, pairs.n, 4, work);
        auto prepare = [&](int64_t begin, int64_t end) {
            tiles.each(pairs, begin, end, [&](int64_t g, int64_t t) {
                prepare_tile(run.kernels, weighed + pairs.groups[g].first * w->columns, w->columns, w,
                             tiles.of_group[g], t);
            });
        };
        share(threads, tiles.tiles, 1, prepare);
        return true;
    }
    uint8_t* rows = buffer.raw(run.rows * per_row);
    if (!rows) return false;
    auto quantize = [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; row++) {
            Prepared alone = {{1, 1, false}, per_row, rows + row * per_row};
            prepare_tile(run.kernels, x + row * op.x.step, op.x.step, w, alone, 0);
        }
    };
    share(run.rows * w->columns > PREPARE_ALONE ? threads : 1, run.rows, 1, quantize);
    auto gather = [&](int64_t begin, int64_t end) {
        tiles.each(pairs, begin, end, [&](int64_t g, int64_t t) {
            const Tiling& tiling = tiles.of_group[g].tiling;
            int places = tiling.places(t), n = tiling.size(t);
            uint8_t* tile = tiles.of_group[g].tile(t);
            if (n < places) memset(tile, 0, (size_t)(places * per_row));
            for (int i = 0; i < n; i++) {
                const uint8_t* from = rows + pairs.row[pairs.groups[g].first + tiling.first(t) + i] * per_row;
                for (int64_t k = 0; k < w->length; k++)
                    memcpy(tile + (k * places + i) * record, from + k * record, (size_t)record);
            }
        });
    };
    share(threads, tiles.tiles, 1, gather);
    return true;
}

struct Inner {  // [pairs, width of the experts]
    float *gate, *up;
    int64_t width;
};

// gate and up of every pair. False: out of memory.
bool multiply_input(const ExpertsOp& op, const Run& run, const Pairs& pairs, const Inner& inner) {
    static thread_local Buffer of_plan[2], of_tiles[2], of_jobs;
    const Packed* weights[2] = {op.up, op.gate};
    const float* biases[2] = {op.up_bias, op.gate_bias};
    float* ys[2] = {inner.up, inner.gate};
    GroupTiles tiles[2] = {};
    Job* jobs = (Job*)of_jobs.raw(2 * pairs.n_groups * (int64_t)sizeof(Job));
    if (!jobs) return false;
    int64_t n = 0, matrices = op.gate ? 2 : 1;
    for (int i = 0; i < matrices; i++) {
        tiles[i] = tiles[0];
        if (i > 0 && same_preparation(weights[0], weights[i])) continue;
        if (!plan_groups(run.kernels, weights[i], pairs, of_plan[i], of_tiles[i], tiles + i)) return false;
        if (!prepare_input(op, run, weights[i], pairs, tiles[i])) return false;
    }
    for (int64_t g = 0; g < pairs.n_groups; g++)
        for (int i = 0; i < matrices; i++) {
            const Group& group = pairs.groups[g];
            const float* bias = biases[i] ? biases[i] + group.expert * inner.width : nullptr;
            jobs[n++] = {tiles[i].of_group + g,
                         {weights[i], ys[i] + group.first * inner.width, inner.width, bias, nullptr, 0, group.expert}};
        }
    return multiply_jobs(run.kernels, jobs, n, run.pass.threads);
}

void scale_by(const Run& run, const float* scales, int64_t expert, float* y, int64_t n) {
    if (scales) run.kernels->element(ELEMENT_SCALE, y, y, y, n, scales[expert]);
}

// y [pairs, columns] = down(activation(gate) * up). False: out of memory.
bool multiply_inner(const ExpertsOp& op, const Run& run, const Pairs& pairs, const Inner& inner, float* y) {
    static thread_local Buffer of_plan, of_tiles, of_jobs;
    GroupTiles tiles;
    Job* jobs = (Job*)of_jobs.raw(pairs.n_groups * (int64_t)sizeof(Job));
    if (!jobs || !plan_groups(run.kernels, op.down, pairs, of_plan, of_tiles, &tiles)) return false;
    auto prepare = [&](int64_t begin, int64_t end) {
        tiles.each(pairs, begin, end, [&](int64_t g, int64_t t) {
            const Prepared& to = tiles.of_group[g];
            int64_t first = pairs.groups[g].first * inner.width, at = first + to.tiling.first(t) * inner.width;
            const float *gate = op.gate ? inner.gate + at : inner.up + at, *up = op.gate ? inner.up + at : nullptr;
            int64_t values = to.tiling.size(t) * inner.width, expert = pairs.groups[g].expert;
            scale_by(run, op.up_scale, expert, inner.up + at, values);
            if (op.gate) scale_by(run, op.gate_scale, expert, inner.gate + at, values);
            run.kernels->gate(op.activation, gate, 0, up, inner.gate + at, values, op.limit);
            prepare_tile(run.kernels, inner.gate + first, inner.width, op.down, to, t);
        });
    };
    share(pairs.n * inner.width > PREPARE_ALONE ? run.pass.threads : 1, tiles.tiles, 1, prepare);
    for (int64_t g = 0; g < pairs.n_groups; g++) {
        const Group& group = pairs.groups[g];
        const float* bias = op.down_bias ? op.down_bias + group.expert * op.down->rows : nullptr;
        jobs[g] = {tiles.of_group + g,
                   {op.down, y + group.first * op.down->rows, op.down->rows, bias, nullptr, 0, group.expert}};
    }
    return multiply_jobs(run.kernels, jobs, pairs.n_groups, run.pass.threads);
}

}  // namespace

bool run_experts(const ExpertsOp& op, const Run& run) {
    static thread_local Buffer of_inner, of_parts;
    Pairs pairs;
    if (!sort_pairs(op, run, &pairs)) return false;
    int64_t width = op.up->rows, out = op.down->rows;
    float* memory = of_inner.floats(2 * pairs.n * width);
    float* parts = of_parts.floats(pairs.n * out);
    if (!memory || !parts) return false;
    Inner inner = {memory, memory + pairs.n * width, width};
    if (!multiply_input(op, run, pairs, inner) || !multiply_inner(op, run, pairs, inner, parts)) return false;
    float* y = run.at(op.y);
    const int32_t* chosen = (const int32_t*)run.at(op.chosen);
    run.by_values(out, [&](int64_t row, int64_t from, int64_t to) {
        float* sum = y + row * op.y.step + from;
        memset(sum, 0, (size_t)(to - from) * sizeof(float));
        for (int64_t i = 0; i < op.used; i++) {
            int64_t pair = pairs.place[row * op.used + i];
            float weight = op.weigh_input ? 1.0f : pairs.weight[pair];
            if (op.down_scale) weight *= op.down_scale[chosen[row * op.chosen.step + i]];
            run.kernels->add_scaled(parts + pair * out + from, weight, sum, to - from);
        }
    });
    return true;
}
