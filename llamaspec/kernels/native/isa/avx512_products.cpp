// x86-64 with AVX-512 F, BW, DQ, VL and VNNI: products.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include "target.h"

TARGET_BEGIN(AVX512)
#include "../lanes/avx512.h"
#include "products.h"
TARGET_END

extern "C" const TypeKernels llamaspec_avx512_types[] = TYPE_KERNELS;
#else
extern "C" const TypeKernels llamaspec_avx512_types[] = {{-1, {}}};
#endif
