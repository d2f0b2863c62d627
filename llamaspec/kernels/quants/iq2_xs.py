"""IQ2_XS: runs of 8 from a codebook of 512 with 7 signs; 16 values share a four-bit scale."""

import torch
from torch import Tensor

from ._bits import in_turn, word16
from ._tables import codebook, signs_of_seven

ELEMENTS = 256
BYTES = 74


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 74] uint8 -> [n, 256] float32: unit * (scale + 1/2) / 4 * entry * sign.

    Each run is a word of 9 bits for the place in the codebook and 7 bits of signs; the eighth sign is their parity.
    """
    unit = blocks[:, :2].view(torch.float16).float()
    runs = word16(blocks[:, 2:66]).view(-1, 16, 2)
    scale = in_turn(blocks[:, 66:], 4).float() + 0.5
    entries = codebook("IQ2_XS", blocks.device)[runs & 511]
    signs = signs_of_seven(blocks.device)[runs >> 9]
    return ((unit * scale * 0.25)[:, :, None, None] * entries * signs).view(-1, 256)
