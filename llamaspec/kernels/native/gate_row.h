// Element by element: exp, SiLU times gate, sum, rounding to half precision.
#pragma once

namespace {

// e^x, within 2 units in the last place; 0 below -87.3, infinity above 88.8 and perhaps above 88.3 (n = 128).
INLINE F f_exp(F x) {
    F bounded = f_min(f_set(88.8f), f_max(f_set(-87.3365447505f), x));
    F n = f_round(f_mul(bounded, f_set(1.44269504088896341f)));
    F r = f_fnma(n, f_set(0.693359375f), bounded);  // ln 2 in two pieces, so that the difference is exact
    r = f_fnma(n, f_set(-2.12194440e-4f), r);
    F p = f_set(1.9875691500e-4f);  // Cephes' polynomial for (e^r - 1 - r) / r^2
    p = f_fma(p, r, f_set(1.3981999507e-3f));
    p = f_fma(p, r, f_set(8.3334519073e-3f));
    p = f_fma(p, r, f_set(4.1665795894e-2f));
    p = f_fma(p, r, f_set(1.6666665459e-1f));
    p = f_fma(p, r, f_set(5.0000001201e-1f));
    p = f_add(f_fma(p, f_mul(r, r), r), f_set(1));
    return f_clear_below(f_scale2(p, n), x, -87.3365447505f);
}

INLINE F f_silu_mul(F gate, F up) { return f_mul(f_div(gate, f_add(f_set(1), f_exp(f_sub(f_set(0), gate)))), up); }

void silu_mul_run(const float* gate, const float* up, float* y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) f_store(y + i, f_silu_mul(f_load(gate + i), f_load(up + i)));
    if (i == n) return;
    float a[16] = {0}, b[16] = {0};
    for (int64_t j = i; j < n; j++) a[j - i] = gate[j], b[j - i] = up[j];
    f_store(a, f_silu_mul(f_load(a), f_load(b)));
    for (int64_t j = i; j < n; j++) y[j] = a[j - i];
}

void add_run(const float* a, const float* b, float* y, int64_t n) {
    int64_t i = 0;
    for (; i + 16 <= n; i += 16) f_store(y + i, f_add(f_load(a + i), f_load(b + i)));
    for (; i < n; i++) y[i] = a[i] + b[i];
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
