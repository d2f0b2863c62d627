// The activation functions of feed-forward parts, sixteen values at a time. A new one is a member of Activation
// (tape.h), a function here and its line in EACH_ACTIVATION.
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

// x / (1 + e^-z): without cancellation for z of either sign
INLINE F f_times_sigmoid(F x, F z) { return f_div(x, f_add(f_set(1), f_exp(f_sub(f_set(0), z)))); }

INLINE F f_negative(F x) { return f_sub(f_set(-0.0f), x); }

INLINE F f_tanh(F x) {
    F size = f_abs(x), square = f_mul(x, x);
    F p = f_set(-5.70498872745e-3f);  // Cephes' polynomial, for |x| < 0.625
    p = f_fma(p, square, f_set(2.06390887954e-2f));
    p = f_fma(p, square, f_set(-5.37397155531e-2f));
    p = f_fma(p, square, f_set(1.33314422036e-1f));
    p = f_fma(p, square, f_set(-3.33332819422e-1f));
    F small = f_fma(f_mul(p, square), x, x);
    F large = f_sub(f_set(1), f_div(f_set(2), f_add(f_exp(f_add(size, size)), f_set(1))));
    large = f_select_below(x, 0, f_negative(large), large);
    return f_select_below(size, 0.625f, small, large);
}

// log(1 + e^x) = max(x, 0) + log(1 + t), t = e^-|x|; log(1 + t) = 2 atanh(t / (2 + t))
INLINE F f_softplus(F x) {
    F t = f_exp(f_negative(f_abs(x)));
    F s = f_div(t, f_add(f_set(2), t)), square = f_mul(s, s);
    F p = f_set(0.11616776138544083f);  // (atanh(s) / s - 1) / s^2 for s <= 1/3, relative error 1e-8
    p = f_fma(p, square, f_set(0.1085226759314537f));
    p = f_fma(p, square, f_set(0.1429625004529953f));
    p = f_fma(p, square, f_set(0.19999851286411285f));
    p = f_fma(p, square, f_set(0.3333333432674408f));
    F half = f_fma(f_mul(p, square), s, s);
    return f_add(f_max(f_set(0), x), f_add(half, half));
}

// e^(z^2) erfc(z) = t P(t), t = 2 / (2 + z), z >= 0; relative error 4e-8
INLINE F f_scaled_erfc(F z) {
    F t = f_div(f_set(2), f_add(f_set(2), z));
    F p = f_set(-0.058890994638204575f);
    p = f_fma(p, t, f_set(0.2837029993534088f));
    p = f_fma(p, t, f_set(-0.4853857159614563f));
    p = f_fma(p, t, f_set(0.27598029375076294f));
    p = f_fma(p, t, f_set(-0.02517903409898281f));
    p = f_fma(p, t, f_set(0.20207035541534424f));
    p = f_fma(p, t, f_set(0.24326089024543762f));
    p = f_fma(p, t, f_set(0.2823534905910492f));
    p = f_fma(p, t, f_set(0.28208768367767334f));
    return f_mul(p, t);
}

struct Identity {
    static INLINE F of(F x) { return x; }
};
struct Silu {
    static INLINE F of(F x) { return f_times_sigmoid(x, x); }
};
struct Gelu {  // x / 2 (1 + tanh(u)) = x / (1 + e^-2u), u = sqrt(2 / pi) (x + 0.044715 x^3)
    static INLINE F of(F x) {
        F twice_u = f_mul(x, f_fma(f_mul(x, x), f_set(0.0713548162726f), f_set(1.5957691216057f)));
        return f_times_sigmoid(x, twice_u);
    }
};
struct GeluErf {  // x times the normal distribution
    static INLINE F of(F x) {
        F tail = f_mul(f_exp(f_mul(f_mul(x, f_set(-0.5f)), x)), f_scaled_erfc(f_mul(f_abs(x), f_set(0.70710678f))));
        F half = f_mul(tail, f_set(0.5f));
        return f_mul(x, f_select_below(x, 0, half, f_sub(f_set(1), half)));
    }
};
struct Sigmoid {
    static INLINE F of(F x) { return f_times_sigmoid(f_set(1), x); }
};
struct Relu2 {
    static INLINE F of(F x) {
        F positive = f_max(f_set(0), x);
        return f_mul(positive, positive);
    }
};
struct Relu {
    static INLINE F of(F x) { return f_max(f_set(0), x); }
};
struct Softplus {
    static INLINE F of(F x) { return f_softplus(x); }
};
struct ExpTail {  // e^z - 1 - z, z = min(x, 0)
    static INLINE F of(F x) {
        F z = f_min(f_set(0), x);
        F p = f_set(2.5052108e-8f);  // its Taylor series divided by z^2, for z > -1
        p = f_fma(p, z, f_set(2.7557319e-7f));
        p = f_fma(p, z, f_set(2.7557319e-6f));
        p = f_fma(p, z, f_set(2.4801587e-5f));
        p = f_fma(p, z, f_set(1.9841270e-4f));
        p = f_fma(p, z, f_set(1.3888889e-3f));
        p = f_fma(p, z, f_set(8.3333333e-3f));
        p = f_fma(p, z, f_set(4.1666667e-2f));
        p = f_fma(p, z, f_set(1.6666667e-1f));
        p = f_fma(p, z, f_set(0.5f));
        F far = f_sub(f_sub(f_exp(z), f_set(1)), z);
        return f_select_below(z, -1, far, f_mul(f_mul(z, z), p));
    }
};
struct SwigluOai {  // of gpt-oss: the limit is for the gate itself, and up is one more
    static INLINE F of(F x) { return f_times_sigmoid(x, f_mul(f_set(1.702f), x)); }
};

#define EACH_ACTIVATION(DO)                                                                             \
    DO(ACT_NONE, Identity)                                                                              \
    DO(ACT_SILU, Silu)                                                                                  \
    DO(ACT_GELU, Gelu) DO(ACT_GELU_ERF, GeluErf) DO(ACT_SIGMOID, Sigmoid) DO(ACT_RELU2, Relu2)          \
        DO(ACT_SWIGLU_OAI, SwigluOai) DO(ACT_RELU, Relu) DO(ACT_SOFTPLUS, Softplus) DO(ACT_EXP_TAIL, ExpTail)

}  // namespace
