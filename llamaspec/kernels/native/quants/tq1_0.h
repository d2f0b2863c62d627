// TQ1_0: 256 of -1, 0 and 1, five to a byte (the last 16: four), and one half-precision scale.
#pragma once
#include "half_scales.h"

namespace {

struct TQ1_0 : HalfScale<Body<2>, 1, 8, 52> {
    static constexpr int BYTES = 54;
    static void quants(const uint8_t* block, uint8_t* q) {
        digits(block, 32, 5, q);
        digits(block + 32, 16, 5, q + 160);
        digits(block + 48, 4, 4, q + 240);
    }
    // The first digit of n bytes, then the second: a byte is the fraction 0.abcde in base three, in 256ths, rounded up.
    static void digits(const uint8_t* bytes, int n, int count, uint8_t* q) {
        for (int i = 0; i < n; i++) {
            int fraction = bytes[i];
            for (int digit = 0; digit < count; digit++) {
                fraction *= 3;
                q[n * digit + i] = (uint8_t)(fraction >> 8);
                fraction &= 255;
            }
        }
    }
};

}  // namespace
