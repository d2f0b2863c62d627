"""BF16: the upper half of a float32."""

import torch
from torch import Tensor

ELEMENTS = 1
BYTES = 2


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 2] uint8 -> [n, 1] float32."""
    return blocks.view(torch.bfloat16).float()
