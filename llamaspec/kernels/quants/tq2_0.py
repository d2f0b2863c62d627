"""TQ2_0: 256 of -1, 0 and 1 in two bits each, and a half-precision scale."""

import torch
from torch import Tensor

from ._bits import spread

ELEMENTS = 256
BYTES = 66


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 66] uint8 -> [n, 256] float32: scale * (q - 1); in each half, pair p of byte i is value 32 p + i."""
    scale = blocks[:, 64:].view(torch.float16).float()
    q = spread(blocks[:, :64].reshape(-1, 2, 32), 2).view(-1, 256)
    return scale * (q.float() - 1)
