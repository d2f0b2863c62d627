"""Q4_K: 8 sub-blocks of 32 four-bit numbers; each has a six-bit scale and minimum, in units of two half floats."""

import torch
from torch import Tensor

ELEMENTS = 256
BYTES = 144


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 144] uint8 -> [n, 256] float32: scale * q - minimum.

    Each run of 32 bytes holds one sub-block in its low nibbles and the next in its high ones.
    """
    scale, minimum = scales_and_minimums(blocks)
    packed = blocks[:, 16:].reshape(-1, 4, 32)
    q = torch.stack((packed & 15, packed >> 4), dim=2).view(-1, 8, 32)
    return (scale * q.float() - minimum).view(-1, 256)


def scales_and_minimums(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """blocks [n, 16 or more] uint8, which start with two halves and 12 packed bytes -> two [n, 8, 1] float32.

    Bytes 0-3 are the first four scales, bytes 4-7 the first four minimums, in their low six bits. Bytes 8-11 hold the
    low four bits of the other four scales (low nibble) and minimums (high nibble); the two bits above them are the top
    bits of bytes 0-3 and 4-7.
    """
    unit, unit_minimum = blocks[:, :4].view(torch.float16).float().split(1, dim=1)
    first, second, low = blocks[:, 4:16].split(4, dim=1)
    scale = torch.cat((first & 63, (low & 15) | (first >> 6 << 4)), dim=1)
    minimum = torch.cat((second & 63, (low >> 4) | (second >> 6 << 4)), dim=1)
    return (unit * scale.float())[:, :, None], (unit_minimum * minimum.float())[:, :, None]
