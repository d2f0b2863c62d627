// Any machine.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#pragma GCC optimize("O2")  // a fallback: not worth minutes of compiling
#include "../lanes/generic.h"
#include "rows.h"

extern "C" const Kernels llamaspec_generic = KERNELS("generic", llamaspec_generic_types);
