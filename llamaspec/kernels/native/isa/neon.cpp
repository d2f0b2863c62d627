// 64-bit ARM with the byte dot product (ARMv8.2 and later).
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#include "target.h"

#if defined(__clang__)
TARGET_BEGIN("dotprod")
#else
TARGET_BEGIN("arch=armv8.2-a+dotprod")
#endif
#include "../lanes/neon.h"
#include "kernels.h"
TARGET_END

extern "C" const Kernels llamaspec_neon = KERNELS("neon");
#else
extern "C" const Kernels llamaspec_neon = {};
#endif
