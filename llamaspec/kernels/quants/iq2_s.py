"""IQ2_S: runs of 8 from a codebook of 1024 with 8 signs; 16 values share a four-bit scale."""

import torch
from torch import Tensor

from ._bits import in_turn
from ._tables import codebook, signs_of_bytes

ELEMENTS = 256
BYTES = 82


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 82] uint8 -> [n, 256] float32: unit * (scale + 1/2) / 4 * entry * sign.

    32 bytes are the lower eight bits of the places in the codebook, 32 the signs, 8 the upper two bits, 8 the scales.
    """
    unit = blocks[:, :2].view(torch.float16).float()
    scale = in_turn(blocks[:, 74:], 4).float() + 0.5
    places = blocks[:, 2:34].int() | (in_turn(blocks[:, 66:74], 2).int() << 8)
    entries = codebook("IQ2_S", blocks.device)[places].view(-1, 16, 16)
    signs = signs_of_bytes(blocks.device)[blocks[:, 34:66].int()].view(-1, 16, 16)
    return ((unit * scale * 0.25)[:, :, None] * entries * signs).view(-1, 256)
