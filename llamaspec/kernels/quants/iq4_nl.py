"""IQ4_NL: a half-precision scale and 32 places in a table of 16 values, which lie closer together near zero."""

import torch
from torch import Tensor

from ._tables import table

ELEMENTS = 32
BYTES = 18
VALUES = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 18] uint8 -> [n, 32] float32: scale * value; the low nibbles are the first 16 places."""
    scale = blocks[:, :2].view(torch.float16).float()
    packed = blocks[:, 2:]
    places = torch.cat((packed & 15, packed >> 4), dim=1)
    return scale * table(VALUES, blocks.device)[places.int()]
