"""Q3_K: 16 sub-blocks of 16 three-bit numbers around zero, each with a six-bit scale, in units of a half float."""

import torch
from torch import Tensor

from ._bits import spread

ELEMENTS = 256
BYTES = 110


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 110] uint8 -> [n, 256] float32: unit * (scale - 32) * (q - 4).

    The third bit of value 32 s + i is bit s of byte i; the lower two are those of Q2_K. The lower four bits of the
    scales are 8 bytes, low nibbles first, the upper two are 4 bytes, whose pair p belongs to scales 4 p to 4 p + 3.
    """
    unit = blocks[:, 108:].view(torch.float16).float()
    low = spread(blocks[:, 96:104], 4).reshape(-1, 16)
    scale = (low | (spread(blocks[:, 104:108], 2).reshape(-1, 16) << 4)).float() - 32
    third = spread(blocks[:, :32], 1).reshape(-1, 16, 16)
    q = spread(blocks[:, 32:96].reshape(-1, 2, 32), 2).reshape(-1, 16, 16) | (third << 2)
    return ((unit * scale)[:, :, None] * (q.float() - 4)).view(-1, 256)
