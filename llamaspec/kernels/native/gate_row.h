// Element by element: activation times up, sums and products, the decay of a recurrent state, half precision.
#pragma once
#include "activations.h"
#include "tape.h"

namespace {

// y[i..] = OP(i) for n values: f(at) gives sixteen of them; the last ones come through a vector of their own
template <class At>
INLINE void each_vector(int64_t n, float* y, const At& at) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) f_store(y + i, at(i, (int)16));
    if (i == n) return;
    float rest[16];
    f_store(rest, at(i, (int)(n - i)));
    for (int64_t j = i; j < n; j++) y[j] = rest[j - i];
}

INLINE F f_load_some(const float* x, int n) {  // zeros behind them
    if (n == 16) return f_load(x);
    float some[16] = {0};
    for (int i = 0; i < n; i++) some[i] = x[i];
    return f_load(some);
}

template <class A>
struct Gated {
    static constexpr bool OAI = false;
};
template <>
struct Gated<SwigluOai> {
    static constexpr bool OAI = true;
};

template <class A>
INLINE F f_gate(F gate, F up, bool has_up, float limit) {
    constexpr bool OAI = Gated<A>::OAI;
    if (OAI && limit > 0) gate = f_min(f_set(limit), gate);
    F active = A::of(gate);
    if (!OAI && limit > 0) active = f_min(f_set(limit), active);
    if (!has_up) return active;
    if (limit > 0) up = f_max(f_set(-limit), f_min(f_set(limit), up));
    return f_mul(active, OAI ? f_add(up, f_set(1)) : up);
}

template <class A>
void gate_with(const float* gate, int one_gate, const float* up, float* y, int64_t n, float limit) {
    each_vector(n, y, [&](int64_t i, int count) INLINE_LAMBDA {
        F g = one_gate ? f_set(gate[0]) : f_load_some(gate + i, count);
        return f_gate<A>(g, up ? f_load_some(up + i, count) : g, up != nullptr, limit);
    });
}

void gate_run(int activation, const float* gate, int one_gate, const float* up, float* y, int64_t n, float limit) {
#define CASE(number, A) \
    case number: return gate_with<A>(gate, one_gate, up, y, n, limit);
    switch (activation) { EACH_ACTIVATION(CASE) }
#undef CASE
}

void element_run(int kind, const float* a, const float* b, float* y, int64_t n, float factor) {
    each_vector(n, y, [&](int64_t i, int count) INLINE_LAMBDA {
        F x = f_load_some(a + i, count), by = f_set(factor);
        if (kind == ELEMENT_ADD) return f_add(x, f_load_some(b + i, count));
        if (kind == ELEMENT_MULTIPLY) return f_mul(x, f_load_some(b + i, count));
        if (kind == ELEMENT_SCALE) return f_mul(by, x);
        return f_mul(by, f_tanh(f_div(x, by)));
    });
}

void add_scaled_run(const float* x, float factor, float* y, int64_t n) {
    each_vector(n, y, [&](int64_t i, int count) INLINE_LAMBDA {
        return f_add(f_load_some(y + i, count), f_mul(f_load_some(x + i, count), f_set(factor)));
    });
}

void decay_run(const float* x, const float* bias, const float* rate, float* y, int64_t n) {
    each_vector(n, y, [&](int64_t i, int count) INLINE_LAMBDA {
        F z = f_add(f_load_some(x + i, count), f_load_some(bias + i, count));
        return f_exp(f_mul(f_load_some(rate + i, count), f_softplus(z)));
    });
}

void softplus_run(const float* x, float* y, int64_t n) {
    each_vector(n, y, [&](int64_t i, int count) INLINE_LAMBDA { return f_softplus(f_load_some(x + i, count)); });
}

void softmax_run(const float* x, float* y, int64_t n) {
    float peak = x[0];
    for (int64_t i = 1; i < n; i++) peak = x[i] > peak ? x[i] : peak;
    F sum = f_set(0);
    each_vector(n, y, [&](int64_t i, int count) INLINE_LAMBDA {
        return f_exp(f_sub(f_load_some(x + i, count), f_set(peak)));
    });
    for (int64_t i = 0; i < n; i += 16) sum = f_add(sum, f_load_some(y + i, n - i < 16 ? (int)(n - i) : 16));
    F total = f_set(f_sum(sum));
    each_vector(n, y, [&](int64_t i, int count) INLINE_LAMBDA { return f_div(f_load_some(y + i, count), total); });
}

void half_run(const float* x, void* y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) f_store_half((uint16_t*)y + i, f_load(x + i));
    for (; i < n; i++) ((uint16_t*)y)[i] = float_to_half(x[i]);
}

// Every byte once, and something that depends on all of them, so that no load can be left out.
float read_run(const uint8_t* bytes, int64_t n) {
    F highest[8];
    for (int j = 0; j < 8; j++) highest[j] = f_set(0);
    for (int64_t at = 0; at + 512 <= n; at += 512)
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) {
            prefetch(bytes + at + 64 * j, 64);
            highest[j] = f_max(f_load((const float*)(bytes + at + 64 * j)), highest[j]);
        }
    for (int j = 1; j < 8; j++) highest[0] = f_max(highest[0], highest[j]);
    return f_peak(highest[0]);
}

}  // namespace
