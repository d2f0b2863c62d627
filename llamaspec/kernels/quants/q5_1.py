"""Q5_1: a half-precision scale and minimum, and 32 five-bit numbers."""

import torch
from torch import Tensor

from .q5_0 import five_bits

ELEMENTS = 32
BYTES = 24


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 24] uint8 -> [n, 32] float32: scale * q + minimum."""
    scale, minimum = blocks[:, :4].view(torch.float16).float().split(1, dim=1)
    return scale * five_bits(blocks[:, 4:8], blocks[:, 8:]).float() + minimum
