"""MXFP4: 32 four-bit floats with a power of two as scale (OCP Microscaling Formats 1.0)."""

import torch
from torch import Tensor

from ._tables import E2M1, table

ELEMENTS = 32
BYTES = 17


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 17] uint8 -> [n, 32] float32; the low nibbles are the first 16 values."""
    packed = blocks[:, 1:]
    q = torch.cat((packed & 15, packed >> 4), dim=1)
    return halved_power(blocks[:, :1]) * table(E2M1, blocks.device)[q.int()]


def halved_power(exponent: Tensor) -> Tensor:
    """exponent [n, 1] uint8 -> 2^(exponent - 128) float32; the two smallest are subnormal numbers."""
    wide = exponent.int()
    bits = torch.where(wide < 2, 0x200000 << wide.clamp(max=1), (wide - 1) << 23)
    return bits.view(torch.float32)
