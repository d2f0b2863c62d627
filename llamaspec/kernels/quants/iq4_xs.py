"""IQ4_XS: 8 sub-blocks of 32 places in the table of IQ4_NL, each with a six-bit scale, in units of a half float."""

import torch
from torch import Tensor

from ._bits import in_turn, spread
from ._tables import table
from .iq4_nl import VALUES

ELEMENTS = 256
BYTES = 136


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 136] uint8 -> [n, 256] float32: unit * (scale - 32) * value.

    Bytes 2 and 3 hold the upper two bits of the scales, bytes 4 to 7 the lower four.
    """
    unit = blocks[:, :2].view(torch.float16).float()
    scale = (in_turn(blocks[:, 4:8], 4) | (in_turn(blocks[:, 2:4], 2) << 4)).float() - 32
    places = spread(blocks[:, 8:].reshape(-1, 8, 16), 4).reshape(-1, 8, 32)
    return ((unit * scale)[:, :, None] * table(VALUES, blocks.device)[places.int()]).view(-1, 256)
