"""IQ1_M: runs of 8 of -1, 0 and 1 from the codebook of IQ1_S with a shift of 1/8; 16 values share a three-bit scale."""

import torch
from torch import Tensor

from ._bits import in_turn, word16
from ._tables import codebook

ELEMENTS = 256
BYTES = 56


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 56] uint8 -> [n, 256] float32: unit * (2 scale + 1) * (entry + shift).

    32 bytes are the lower eight bits of the places in the codebook, 16 hold the upper three and the sign of the shift.
    Each of the last four words holds four scales and, on top, four bits of the unit, a half float.
    """
    words = word16(blocks[:, 48:])
    nibbles = words >> 12
    bits = nibbles[:, 0] | (nibbles[:, 1] << 4) | (nibbles[:, 2] << 8) | (nibbles[:, 3] << 12)
    unit = bits.to(torch.int16).view(torch.float16).float()
    scale = (words[:, :, None] >> torch.arange(0, 12, 3, dtype=torch.int32, device=blocks.device)) & 7
    scale = unit[:, None] * (2 * scale.view(-1, 16) + 1).float()
    upper = in_turn(blocks[:, 32:48], 4).int()
    places = blocks[:, :32].int() | ((upper & 7) << 8)
    shift = torch.where(upper < 8, 0.125, -0.125)
    values = codebook("IQ1_S", blocks.device)[places] + shift[:, :, None]
    return (scale[:, :, None] * values.view(-1, 16, 16)).view(-1, 256)
