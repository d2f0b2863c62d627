// x86-64 with AVX2 and the byte dot product in 256-bit registers (desktop CPUs since 2021).
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include "target.h"

TARGET_BEGIN(AVX_VNNI)
#define LANES_AVX_VNNI
#include "../lanes/avx2.h"
#include "rows.h"
TARGET_END

extern "C" const Kernels llamaspec_avx_vnni = KERNELS("avx-vnni", llamaspec_avx_vnni_types);
#else
extern "C" const Kernels llamaspec_avx_vnni = {};
#endif
