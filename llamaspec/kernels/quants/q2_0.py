"""Q2_0: a half-precision scale and 64 two-bit numbers from -1 to 2."""

import torch
from torch import Tensor

from ._bits import in_turn

ELEMENTS = 64
BYTES = 18


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 18] uint8 -> [n, 64] float32: scale * (q - 1); the lowest pair of a byte is first."""
    scale = blocks[:, :2].view(torch.float16).float()
    return scale * (in_turn(blocks[:, 2:], 2).float() - 1)
