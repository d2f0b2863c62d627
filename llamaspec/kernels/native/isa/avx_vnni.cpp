// x86-64 with AVX2 and the byte dot product in 256-bit registers (desktop CPUs since 2021).
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include "target.h"

TARGET_BEGIN("avx2,fma,f16c,avxvnni")
#define LANES_AVX_VNNI
#include "../lanes/avx2.h"
#include "kernels.h"
TARGET_END

extern "C" const Kernels llamaspec_avx_vnni = KERNELS("avx-vnni");
#else
extern "C" const Kernels llamaspec_avx_vnni = {};
#endif
