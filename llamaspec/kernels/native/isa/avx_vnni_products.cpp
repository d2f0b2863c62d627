// x86-64 with AVX2 and the byte dot product in 256-bit registers (desktop CPUs since 2021): products.
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
#include "products.h"
TARGET_END

extern "C" const TypeKernels llamaspec_avx_vnni_types[] = TYPE_KERNELS;
#else
extern "C" const TypeKernels llamaspec_avx_vnni_types[] = {{-1, {}}};
#endif
