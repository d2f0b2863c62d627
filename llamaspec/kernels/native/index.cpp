// Which positions a row attends to, where a model has an index of them (DeepSeek V3.2's lightning indexer).
#include <algorithm>
#include <atomic>

#include "run.h"

namespace {

constexpr int LANES = 8;  // partial sums of a product, added in one order

float dot(const float* a, const float* b, int64_t n) {
    float sums[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int lane = 0; lane < LANES; lane++) sums[lane] += a[i + lane] * b[i + lane];
    float total = 0;
    for (; i < n; i++) total += a[i] * b[i];
    for (float sum : sums) total += sum;
    return total;
}

struct Scored {
    float score;
    int32_t position;
    bool before(const Scored& other) const {
        return score > other.score || (score == other.score && position < other.position);
    }
};

void score_positions(const IndexOp& op, const Run& run, int64_t row, int64_t n, Scored* found) {
    const Plane& keys = run.pass.planes[op.keys];
    const float *q = run.at(op.q) + row * op.q.step, *weights = run.at(op.weights) + row * op.weights.step;
    CellMap map = run.cell_map(row, keys);
    const uint8_t* slot = keys.data + run.slots[row] * keys.slot_step;
    for (int64_t position = 0; position < n; position++) {
        const float* key = (const float*)(slot + map.cell(position) * keys.cell_step);
        float score = 0;
        for (int64_t head = 0; head < op.heads; head++) {
            float similar = dot(q + head * op.size, key, op.size);
            if (similar > 0) score += weights[head] * similar;
        }
        found[position] = {score, (int32_t)position};
    }
}

}  // namespace

bool run_index(const IndexOp& op, const Run& run) {
    int64_t longest = 0;
    for (int64_t row = 0; row < run.rows; row++) longest = std::max(longest, run.positions[row] + 1);
    std::atomic<bool> done{true};
    auto work = [&](int64_t begin, int64_t end) {
        static thread_local Buffer buffer;
        Scored* found = (Scored*)buffer.raw(longest * (int64_t)sizeof(Scored));
        if (!found) {
            done = false;
            return;
        }
        for (int64_t row = begin; row < end; row++) {
            int32_t* y = (int32_t*)(run.at(op.y) + row * op.y.step);
            int64_t n = run.positions[row] + 1;
            y[0] = -1;
            if (n <= op.used || run.cells[row] == PADDING) continue;
            score_positions(op, run, row, n, found);
            std::nth_element(found, found + op.used, found + n, [](const Scored& a, const Scored& b) { return a.before(b); });
            for (int64_t i = 0; i < op.used; i++) y[i] = found[i].position;
            std::sort(y, y + op.used);
        }
    };
    share(longest > op.used ? run.pass.threads : 1, run.rows, 1, work);
    return done;
}
