"""IQ3_S: runs of 4 from a codebook of 512 with 4 signs; 32 values share a four-bit scale."""

import torch
from torch import Tensor

from ._bits import in_turn
from ._tables import codebook, signs_of_bytes

ELEMENTS = 256
BYTES = 110


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 110] uint8 -> [n, 256] float32: unit * (2 scale + 1) * entry * sign.

    64 bytes are the lower eight bits of the places in the codebook, 8 the ninth, 32 the signs, 4 the scales.
    """
    unit = blocks[:, :2].view(torch.float16).float()
    scale = 1 + 2 * in_turn(blocks[:, 106:], 4).float()
    places = blocks[:, 2:66].int() | (in_turn(blocks[:, 66:74], 1).int() << 8)
    entries = codebook("IQ3_S", blocks.device)[places].view(-1, 8, 32)
    signs = signs_of_bytes(blocks.device)[blocks[:, 74:106].int()].view(-1, 8, 32)
    return ((unit * scale)[:, :, None] * entries * signs).view(-1, 256)
