// x86-64 with AVX2, FMA and F16C.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include "target.h"

TARGET_BEGIN("avx2,fma,f16c")
#include "../lanes/avx2.h"
#include "kernels.h"
TARGET_END

extern "C" const Kernels llamaspec_avx2 = KERNELS("avx2");
#else
extern "C" const Kernels llamaspec_avx2 = {};
#endif
