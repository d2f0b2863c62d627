#include "../table.h"
extern "C" const Kernels llamaspec_neon = {};
