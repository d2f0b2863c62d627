// Many rows on x86-64 with AVX-512 VNNI and a matrix unit; everything else is avx512's.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include "target.h"

TARGET_BEGIN(AMX)
#include "../lanes/avx512.h"
#include "../matmul_amx.h"

#define WIDE_ROW(number, Q) {number, wide_panel<Q::Form>},
extern "C" const WideKernels llamaspec_amx[] = {EACH_QUANT(WIDE_ROW){-1, nullptr}};
TARGET_END
#else
extern "C" const WideKernels llamaspec_amx[] = {{-1, nullptr}};
#endif
