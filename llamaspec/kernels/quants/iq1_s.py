"""IQ1_S: runs of 8 of -1, 0 and 1 from a codebook of 2048; 32 values share a three-bit scale and a shift of 1/8."""

import torch
from torch import Tensor

from ._bits import word16
from ._tables import codebook

ELEMENTS = 256
BYTES = 50


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 50] uint8 -> [n, 256] float32: unit * (2 scale + 1) * (entry + shift).

    32 bytes are the lower eight bits of the places in the codebook. A word for each 32 values holds the upper three
    bits of four of them, the scale, and the sign of the shift.
    """
    unit = blocks[:, :2].view(torch.float16).float()
    words = word16(blocks[:, 34:])
    scale = unit * (2 * ((words >> 12) & 7) + 1).float()
    shift = torch.where(words < 0x8000, 0.125, -0.125)
    upper = (words[:, :, None] >> torch.arange(0, 12, 3, dtype=torch.int32, device=blocks.device)) & 7
    places = blocks[:, 2:34].int().view(-1, 8, 4) | (upper << 8)
    entries = codebook("IQ1_S", blocks.device)[places].view(-1, 8, 32)
    return (scale[:, :, None] * (entries + shift[:, :, None])).view(-1, 256)
