// Every type with packed quants: a new one is a file here and a line in EACH_QUANT (number as in GGUF).
#pragma once

namespace {

struct Scales {  // of 16 rows and one group of 32 columns, or each half of it
    F scale[2];
    F minimum[2];
};

}  // namespace

#include "body.h"
#include "iq1_m.h"
#include "iq1_s.h"
#include "iq2_s.h"
#include "iq2_xs.h"
#include "iq2_xxs.h"
#include "iq3_s.h"
#include "iq3_xxs.h"
#include "iq4_nl.h"
#include "iq4_xs.h"
#include "mxfp4.h"
#include "nvfp4.h"
#include "q1_0.h"
#include "q2_0.h"
#include "q2_k.h"
#include "q3_k.h"
#include "q4_0.h"
#include "q4_1.h"
#include "q4_k.h"
#include "q5_0.h"
#include "q5_1.h"
#include "q5_k.h"
#include "q6_k.h"
#include "q8_0.h"
#include "tq1_0.h"
#include "tq2_0.h"

#define EACH_QUANT(DO)                                                                                               \
    DO(2, Q4_0) DO(3, Q4_1) DO(6, Q5_0) DO(7, Q5_1) DO(8, Q8_0) DO(10, Q2_K) DO(11, Q3_K) DO(12, Q4_K) DO(13, Q5_K) \
    DO(14, Q6_K) DO(16, IQ2_XXS) DO(17, IQ2_XS) DO(18, IQ3_XXS) DO(19, IQ1_S) DO(20, IQ4_NL) DO(21, IQ3_S)           \
    DO(22, IQ2_S) DO(23, IQ4_XS) DO(29, IQ1_M) DO(34, TQ1_0) DO(35, TQ2_0) DO(39, MXFP4) DO(40, NVFP4) DO(41, Q1_0)  \
    DO(42, Q2_0)
#define EACH_PLAIN(DO) DO(0, F32) DO(1, F16) DO(30, BF16)

namespace {

// How x is rounded for a type (quantize_rows.h): halves with a minimum each want the sums of x, as if quants were 1
// more.
template <class Q>
constexpr int rounding_offset() { return Q::MINIMUM && Q::PARTS == 2 ? -1 : Q::OFFSET; }

}  // namespace
