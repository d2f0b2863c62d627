// What this machine can do.
#pragma once
#include "table.h"

const Kernels* best_kernels();                   // of those compiled in, the fastest that runs here
const Kernels* kernels_named(const char* name);  // null if not compiled in or not runnable here; no name: the best
int cores();                                     // this process may use, at least 1
