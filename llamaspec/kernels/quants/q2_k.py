"""Q2_K: 16 sub-blocks of 16 two-bit numbers; each has a four-bit scale and minimum, in units of two half floats."""

from torch import Tensor, float16

from ._bits import spread

ELEMENTS = 256
BYTES = 84


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 84] uint8 -> [n, 256] float32: scale * q - minimum.

    A byte holds a scale and, above it, a minimum. For each half of 128 values: pair p of byte i belongs to value
    32 p + i.
    """
    unit, unit_minimum = blocks[:, 80:].view(float16).float().split(1, dim=1)
    scale = (unit * (blocks[:, :16] & 15).float())[:, :, None]
    minimum = (unit_minimum * (blocks[:, :16] >> 4).float())[:, :, None]
    q = spread(blocks[:, 16:80].reshape(-1, 2, 32), 2).view(-1, 16, 16)
    return (scale * q.float() - minimum).view(-1, 256)
