// x86-64 with AVX-512 F, BW, DQ, VL and VNNI.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include "target.h"

TARGET_BEGIN(AVX512)
#include "../lanes/avx512.h"
#include "rows.h"
TARGET_END

extern "C" const Kernels llamaspec_avx512 = KERNELS("avx512", llamaspec_avx512_types);
#else
extern "C" const Kernels llamaspec_avx512 = {};
#endif
