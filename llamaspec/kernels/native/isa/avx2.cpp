// x86-64 with AVX2, FMA and F16C.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include "target.h"

TARGET_BEGIN(AVX2)
#include "../lanes/avx2.h"
#include "rows.h"
TARGET_END

extern "C" const Kernels llamaspec_avx2 = KERNELS("avx2", llamaspec_avx2_types);
#else
extern "C" const Kernels llamaspec_avx2 = {};
#endif
