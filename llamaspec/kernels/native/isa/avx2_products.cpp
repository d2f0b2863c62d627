// x86-64 with AVX2, FMA and F16C: products.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include "target.h"

TARGET_BEGIN(AVX2)
#include "../lanes/avx2.h"
#include "products.h"
TARGET_END

extern "C" const TypeKernels llamaspec_avx2_types[] = TYPE_KERNELS;
#else
extern "C" const TypeKernels llamaspec_avx2_types[] = {{-1, {}}};
#endif
