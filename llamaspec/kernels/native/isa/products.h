// Products with every type of matrix, compiled once per instruction set, apart from the rest: they take minutes.
#pragma once
#include "../matmul_tile.h"

#define TYPE_KERNELS {EACH_QUANT(QUANT_ROW) EACH_PLAIN(PLAIN_ROW){-1, {}}}
