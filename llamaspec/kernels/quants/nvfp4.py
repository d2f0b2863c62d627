"""NVFP4: 64 four-bit floats; each 16 have an eight-bit float without sign as scale (4 bits of exponent, 3 of mantissa).

The factor of a whole tensor `<name>.weight` is a tensor of its own, `<name>.scale` (one value, or one per expert; files
with other types may have it too): products are multiplied by it before a bias is added. `<name>.input_scale` is for
hardware that rounds activations to four bits.
"""

import torch
from torch import Tensor

from ._tables import E2M1, table

ELEMENTS = 64
BYTES = 36


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 36] uint8 -> [n, 64] float32; of each 8 bytes the low nibbles are the first 8 values."""
    packed = blocks[:, 4:].reshape(-1, 4, 8)
    q = torch.cat((packed & 15, packed >> 4), dim=2)
    return (halved_scale(blocks[:, :4])[:, :, None] * table(E2M1, blocks.device)[q.int()]).view(-1, 64)


def halved_scale(scale: Tensor) -> Tensor:
    """scale [n, 4] uint8 -> half of what it stands for, [n, 4] float32. 127 is not a number and counts as zero."""
    exponent, mantissa = ((scale >> 3) & 15).int(), (scale & 7).int()
    steps = torch.where(exponent == 0, mantissa, (mantissa | 8) << (exponent - 1).clamp(min=0))
    return torch.where(scale == 127, 0, steps).float() * 2**-10
