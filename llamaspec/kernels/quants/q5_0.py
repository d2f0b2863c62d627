"""Q5_0: a half-precision scale and 32 five-bit numbers around zero, their fifth bits in a word of their own."""

import torch
from torch import Tensor

ELEMENTS = 32
BYTES = 22


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 22] uint8 -> [n, 32] float32: scale * (q - 16)."""
    scale = blocks[:, :2].view(torch.float16).float()
    return scale * (five_bits(blocks[:, 2:6], blocks[:, 6:]).float() - 16)


def five_bits(high: Tensor, low: Tensor) -> Tensor:
    """high [n, 4] uint8, low [n, 16] uint8 -> [n, 32] uint8 in 0..31.

    Bit i of `high`, counted from the lowest bit of its first byte, is the fifth bit of value i; the low nibbles belong
    to the first 16 values.
    """
    bits = torch.arange(8, dtype=torch.uint8, device=high.device)
    fifth = ((high[:, :, None] >> bits) & 1).view(-1, 32)
    return torch.cat((low & 15, low >> 4), dim=1) | (fifth << 4)
