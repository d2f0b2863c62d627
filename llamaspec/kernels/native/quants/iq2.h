// The quants of IQ2_XXS, IQ2_XS and IQ2_S: 8, 25 and 43 with signs.
#pragma once
#include "byte_scales.h"
#include "codebook.h"

namespace {

struct ThreeMagnitudes {  // plus 43
    static constexpr uint8_t QUANTS[16] = {0, 18, 35, 51, 68, 86};
};

// d (s + 1/2) / 4 is d / 8 times 2 s + 1. PARTS: scales per 32 weights.
template <class Q, int PARTS>
struct IQ2 : ByteScales<Q, TableBody<3, ThreeMagnitudes>, 43, PARTS> {
    static float factor(const uint8_t* block) { return half_to_float(read_u16(block)) * 0.125f; }
};

}  // namespace
