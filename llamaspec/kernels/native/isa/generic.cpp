// Any machine.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#pragma GCC optimize("O2")  // a fallback: not worth minutes of compiling
#include "../lanes/generic.h"
#include "kernels.h"

extern "C" const Kernels llamaspec_generic = KERNELS("generic");
