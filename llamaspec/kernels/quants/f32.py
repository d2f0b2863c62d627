"""F32: the value itself."""

import torch
from torch import Tensor

ELEMENTS = 1
BYTES = 4


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 4] uint8 -> [n, 1] float32."""
    return blocks.view(torch.float32)
