// 64-bit ARM with the byte dot product (ARMv8.2 and later).
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__aarch64__)
#include <arm_neon.h>
#include "target.h"

TARGET_BEGIN(NEON)
#include "../lanes/neon.h"
#include "rows.h"
TARGET_END

extern "C" const Kernels llamaspec_neon = KERNELS("neon", llamaspec_neon_types);
#else
extern "C" const Kernels llamaspec_neon = {};
#endif
