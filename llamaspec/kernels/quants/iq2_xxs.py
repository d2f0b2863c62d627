"""IQ2_XXS: runs of 8 from a codebook of 256 with 7 signs; 32 values share a four-bit scale."""

import torch
from torch import Tensor

from ._tables import codebook, signs_of_seven

ELEMENTS = 256
BYTES = 66


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 66] uint8 -> [n, 256] float32: unit * (scale + 1/2) / 4 * entry * sign.

    Each 8 bytes are four places in the codebook, then a word of four times 7 bits of signs and the scale.
    """
    unit = blocks[:, :2].view(torch.float16).float()
    words = blocks[:, 2:].reshape(-1, 8, 8)
    scale, signs = scale_and_signs(words[:, :, 4:])
    entries = codebook("IQ2_XXS", blocks.device)[words[:, :, :4].int()]
    return ((unit * (scale + 0.5) * 0.25)[:, :, None, None] * entries * signs).view(-1, 256)


def scale_and_signs(word: Tensor) -> tuple[Tensor, Tensor]:
    """word [n, m, 4] uint8 -> [n, m] float32 in 0..15 and [n, m, 4, 8] float32 of 1 and -1.

    A little-endian word: 7 bits for the signs of each of four runs of 8 values, the scale above them.
    """
    a, b, c, d = word.int().unbind(-1)
    sevens = torch.stack((a, (a >> 7) | (b << 1), (b >> 6) | (c << 2), (c >> 5) | (d << 3)), dim=-1) & 127
    return (d >> 4).float(), signs_of_seven(word.device)[sevens]
