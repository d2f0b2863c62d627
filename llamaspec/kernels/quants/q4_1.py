"""Q4_1: a half-precision scale and minimum, and 32 four-bit numbers."""

import torch
from torch import Tensor

ELEMENTS = 32
BYTES = 20


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 20] uint8 -> [n, 32] float32: scale * q + minimum; the low nibbles are the first 16 values."""
    scale, minimum = blocks[:, :4].view(torch.float16).float().split(1, dim=1)
    packed = blocks[:, 4:]
    q = torch.cat((packed & 15, packed >> 4), dim=1)
    return scale * q.float() + minimum
