// Any machine.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../table.h"
#include "../lanes/generic.h"
#include "kernels.h"

extern "C" const Kernels llamaspec_generic = KERNELS("generic");
