// Everything that is compiled once per instruction set. Only C headers: an inline function of the C++ library compiled
// here could be picked by the linker for code that runs on every machine.
#pragma once
#include "../attention_block.h"
#include "../gate_row.h"
#include "../matmul_tile.h"
#include "../norm_row.h"
#include "../recurrent_row.h"
#include "../rope_row.h"

namespace {
const TypeKernels type_kernels[] = {EACH_QUANT(QUANT_ROW) EACH_PLAIN(PLAIN_ROW){-1, {}}};
}

#define KERNELS(label)                                                                                            \
    {                                                                                                             \
        label, TILE_ROWS, TILE_ROWS_FLOAT, type_kernels, nullptr, quantize_rows, copy_rows, norm_row, rotate_row, \
            gate_run, element_run, decay_run, softmax_run, softplus_run, add_scaled_run, convolve_run, delta_run, \
            read_run, half_run, attend_piece                                                                      \
    }
