// Which experts a row goes to (spec/models.md 1.4).
#include <math.h>
#include <string.h>

#include <atomic>

#include "run.h"

namespace {

constexpr float LEAST_SUM = 6.1035e-5f;  // the smallest normal half

// The `used` highest of n scores, the first of equal ones; best[0] is the highest.
void highest(const float* scores, int64_t n, int64_t used, int64_t* best) {
    int64_t found = 0;
    for (int64_t i = 0; i < n; i++) {
        if (found == used && !(scores[i] > scores[best[used - 1]])) continue;
        int64_t at = found < used ? found++ : used - 1;
        for (; at > 0 && scores[i] > scores[best[at - 1]]; at--) best[at] = best[at - 1];
        best[at] = i;
    }
}

void sort(int64_t* numbers, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        int64_t number = numbers[i], at = i;
        for (; at > 0 && numbers[at - 1] > number; at--) numbers[at] = numbers[at - 1];
        numbers[at] = number;
    }
}

// Only groups whose two highest scores have one of the highest sums stay; the others' scores become -inf.
void limit_groups(float* scores, int64_t n, const RouteOp& op, float* sums, int64_t* best) {
    int64_t size = n / op.groups;
    for (int64_t g = 0; g < op.groups; g++) {
        int64_t top[2] = {0, 0};
        highest(scores + g * size, size, size < 2 ? size : 2, top);
        sums[g] = scores[g * size + top[0]] + (size < 2 ? 0.0f : scores[g * size + top[1]]);
    }
    highest(sums, op.groups, op.groups_used, best);
    sort(best, op.groups_used);
    for (int64_t g = 0, kept = 0; g < op.groups; g++) {
        if (kept < op.groups_used && best[kept] == g) {
            kept++;
            continue;
        }
        for (int64_t i = 0; i < size; i++) scores[g * size + i] = -INFINITY;
    }
}

void score(const Kernels* kernels, const RouteOp& op, const float* logits, float* scores, int64_t n) {
    switch (op.gating) {
        case GATING_SOFTMAX: return kernels->softmax(logits, scores, n);
        case GATING_SIGMOID: return kernels->gate(ACT_SIGMOID, logits, 0, nullptr, scores, n, 0);
        case GATING_SQRT_SOFTPLUS:
            kernels->softplus(logits, scores, n);
            for (int64_t i = 0; i < n; i++) scores[i] = sqrtf(scores[i]);
            return;
        default: memcpy(scores, logits, (size_t)n * sizeof(float));
    }
}

void route_row(const Kernels* kernels, const RouteOp& op, const float* logits, int32_t* chosen, float* weights,
               float* memory, int64_t* numbers) {
    int64_t n = op.logits.width, used = op.used;
    float *scores = memory, *selection = memory + n, *sums = memory + 2 * n;
    score(kernels, op, logits, scores, n);
    for (int64_t i = 0; i < n; i++) selection[i] = op.bias ? scores[i] + op.bias[i] : scores[i];
    if (op.groups > 1) limit_groups(selection, n, op, sums, numbers);
    highest(selection, n, used, numbers);
    sort(numbers, used);
    for (int64_t i = 0; i < used; i++) chosen[i] = (int32_t)numbers[i], weights[i] = scores[numbers[i]];
    if (op.gating == GATING_CHOSEN_SOFTMAX) kernels->softmax(weights, weights, used);
    if (op.normalize) {
        float sum = 0;
        for (int64_t i = 0; i < used; i++) sum += weights[i];
        sum = sum > LEAST_SUM ? sum : LEAST_SUM;
        for (int64_t i = 0; i < used; i++) weights[i] /= sum;
    }
    if (op.scale != 0 && op.scale != 1)
        for (int64_t i = 0; i < used; i++) weights[i] *= op.scale;
}

}  // namespace

bool run_route(const RouteOp& op, const Run& run) {
    const float* logits = run.at(op.logits);
    float *chosen = run.at(op.chosen), *weights = run.at(op.weights);
    int64_t n = op.logits.width;
    std::atomic<bool> done{true};
    run.by_rows(8 * n, [&](int64_t begin, int64_t end) {
        static thread_local Buffer of_floats, of_numbers;
        float* memory = of_floats.floats(3 * n);
        int64_t* numbers = of_numbers.numbers(n);
        if (!memory || !numbers) {
            done = false;
            return;
        }
        for (int64_t row = begin; row < end; row++)
            route_row(run.kernels, op, logits + row * op.logits.step, (int32_t*)(chosen + row * op.chosen.step),
                      weights + row * op.weights.step, memory, numbers);
    });
    return done;
}
