// Q4_0: 32 quants of 4 bits and one half-precision scale; (q - 8) d.
//
// What every file of this folder offers:
//   ELEMENTS, BYTES     of one block of the file
//   quants(block, q)    the ELEMENTS unsigned quants, in order, or their places in the table of Layout
//   scale(block, i)     of the i-th run of 32 / PARTS elements; minimum(block, i) of the i-th run of 32, or 32 / PARTS
//   store(head, group, lane, block)   puts the scales of one row's block at `group` and after into the head
// and, in Form, what the tile kernels see; types with the same Form share them:
//   Layout              of the quants (body.h)
//   OFFSET              what is subtracted from a quant
//   PARTS               scales per group of 32 columns (1 or 2)
//   MINIMUM             a group, or each of two parts, also has a minimum, which is subtracted after scaling
//   head(groups)        bytes of scales in front of a chunk of that many groups, a multiple of 64
//   load(head, group, Scales*)        reads the scales of 16 rows back
#pragma once
#include "half_scales.h"

namespace {

struct Q4_0 : HalfScale<Body<4>, 8> {
    static constexpr int BYTES = 18;
    static void quants(const uint8_t* block, uint8_t* q) {
        for (int i = 0; i < 16; i++) {
            q[i] = block[2 + i] & 15;
            q[i + 16] = block[2 + i] >> 4;
        }
    }
};

}  // namespace
