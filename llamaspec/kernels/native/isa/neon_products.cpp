// 64-bit ARM with the byte dot product (ARMv8.2 and later): products.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#include "target.h"

TARGET_BEGIN(NEON)
#include "../lanes/neon.h"
#include "products.h"
TARGET_END

extern "C" const TypeKernels llamaspec_neon_types[] = TYPE_KERNELS;
#else
extern "C" const TypeKernels llamaspec_neon_types[] = {{-1, {}}};
#endif
