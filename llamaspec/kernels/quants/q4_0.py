"""Q4_0: a half-precision scale and 32 four-bit numbers around zero."""

import torch
from torch import Tensor

ELEMENTS = 32
BYTES = 18


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 18] uint8 -> [n, 32] float32: scale * (q - 8); the low nibbles are the first 16 values."""
    scale = blocks[:, :2].view(torch.float16).float()
    packed = blocks[:, 2:]
    q = torch.cat((packed & 15, packed >> 4), dim=1)
    return scale * (q.float() - 8)
