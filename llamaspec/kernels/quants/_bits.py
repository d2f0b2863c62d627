"""Numbers narrower or wider than a byte."""

import torch
from torch import Tensor


def spread(packed: Tensor, width: int) -> Tensor:
    """packed [..., m] uint8 -> [..., 8 / width, m] uint8: numbers of `width` bits, the lowest of each byte first."""
    shifts = torch.arange(0, 8, width, dtype=torch.uint8, device=packed.device)[:, None]
    return (packed[..., None, :] >> shifts) & ((1 << width) - 1)


def in_turn(packed: Tensor, width: int) -> Tensor:
    """packed [n, m] uint8 -> [n, 8 m / width] uint8: the numbers of one byte, then those of the next."""
    return spread(packed, width).transpose(1, 2).flatten(1)


def word16(packed: Tensor) -> Tensor:
    """packed [n, 2 m] uint8 -> [n, m] int32 in 0..65535: little-endian words."""
    return packed[:, ::2].int() | (packed[:, 1::2].int() << 8)
