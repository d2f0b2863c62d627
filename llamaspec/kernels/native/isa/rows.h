// What works on rows and is compiled once per instruction set; products.h has the matrices. Only C headers: an inline
// function of the C++ library compiled here could be picked by the linker for code that runs on every machine.
#pragma once
#include "../attention_block.h"
#include "../gate_row.h"
#include "../norm_row.h"
#include "../quantize_rows.h"
#include "../recurrent_row.h"
#include "../rope_row.h"

#define KERNELS(label, types)                                                                                     \
    {                                                                                                             \
        label, TILE_ROWS, TILE_ROWS_FLOAT, types, nullptr, quantize_rows, copy_rows, norm_row, rotate_row,        \
            gate_run, element_run, decay_run, softmax_run, softplus_run, add_scaled_run, convolve_run, delta_run, \
            read_run, half_run, attend_piece                                                                      \
    }
