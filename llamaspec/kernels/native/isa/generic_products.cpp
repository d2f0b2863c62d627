// Any machine: products.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#pragma GCC optimize("O2")  // a fallback: not worth minutes of compiling
#include "../lanes/generic.h"
#include "products.h"

extern "C" const TypeKernels llamaspec_generic_types[] = TYPE_KERNELS;
