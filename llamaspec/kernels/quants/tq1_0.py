"""TQ1_0: a half-precision scale and 256 of -1, 0 and 1, five to a byte (the last 16: four)."""

import torch
from torch import Tensor

ELEMENTS = 256
BYTES = 54


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 54] uint8 -> [n, 256] float32: scale * (q - 1)."""
    scale = blocks[:, 52:].view(torch.float16).float()
    parts = (_digits(blocks[:, :32], 5), _digits(blocks[:, 32:48], 5), _digits(blocks[:, 48:52], 4))
    return scale * (torch.cat(parts, dim=1).float() - 1)


def _digits(packed: Tensor, count: int) -> Tensor:
    """packed [n, m] uint8 -> [n, count * m] int32 in 0..2: the first digit of all bytes, then the second.

    A byte is the fraction 0.abcde in base three, in 256ths and rounded up.
    """
    fraction, digits = packed.int(), []
    for _ in range(count):
        fraction = 3 * fraction
        digits.append(fraction >> 8)
        fraction = fraction & 255
    return torch.cat(digits, dim=1)
