// Every type with packed levels: a new one is a file here and a line in EACH_QUANT (number as in GGUF).
#pragma once

namespace {

struct Scales {  // of 16 rows and one group of 32 columns
    F scale[2];
    F minimum;
};

}  // namespace

#include "body.h"
#include "q4_0.h"
#include "q4_1.h"
#include "q4_k.h"
#include "q5_0.h"
#include "q5_1.h"
#include "q5_k.h"
#include "q6_k.h"
#include "q8_0.h"

#define EACH_QUANT(DO) \
    DO(2, Q4_0) DO(3, Q4_1) DO(6, Q5_0) DO(7, Q5_1) DO(8, Q8_0) DO(12, Q4_K) DO(13, Q5_K) DO(14, Q6_K)
#define EACH_PLAIN(DO) DO(0, F32) DO(1, F16) DO(30, BF16)
