"""Q8_0: a half-precision scale and 32 signed bytes."""

import torch
from torch import Tensor

ELEMENTS = 32
BYTES = 34


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 34] uint8 -> [n, 32] float32: scale * byte."""
    scale = blocks[:, :2].view(torch.float16).float()
    return blocks[:, 2:].view(torch.int8).float() * scale
