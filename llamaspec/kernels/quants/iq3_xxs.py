"""IQ3_XXS: runs of 4 from a codebook of 256, 7 signs for two of them; 32 values share a four-bit scale."""

import torch
from torch import Tensor

from ._tables import codebook
from .iq2_xxs import scale_and_signs

ELEMENTS = 256
BYTES = 98


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 98] uint8 -> [n, 256] float32: unit * (scale + 1/2) / 2 * entry * sign."""
    unit = blocks[:, :2].view(torch.float16).float()
    scale, signs = scale_and_signs(blocks[:, 66:].reshape(-1, 8, 4))
    entries = codebook("IQ3_XXS", blocks.device)[blocks[:, 2:66].int()].view(-1, 8, 4, 8)
    return ((unit * (scale + 0.5) * 0.5)[:, :, None, None] * entries * signs).view(-1, 256)
