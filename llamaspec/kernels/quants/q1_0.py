"""Q1_0: a half-precision scale and 128 signs."""

import torch
from torch import Tensor

from ._bits import in_turn

ELEMENTS = 128
BYTES = 18


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 18] uint8 -> [n, 128] float32: scale for a set bit, else -scale; the lowest bit of a byte is first."""
    scale = blocks[:, :2].view(torch.float16).float()
    return torch.where(in_turn(blocks[:, 2:], 1) == 1, scale, -scale)
