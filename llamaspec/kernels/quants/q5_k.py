"""Q5_K: Q4_K with a fifth bit per number."""

import torch
from torch import Tensor

from .q4_k import scales_and_minimums

ELEMENTS = 256
BYTES = 176


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 176] uint8 -> [n, 256] float32: scale * q - minimum.

    Bit s of high byte i is the fifth bit of value i of sub-block s.
    """
    scale, minimum = scales_and_minimums(blocks)
    bits = torch.arange(8, dtype=torch.uint8, device=blocks.device)[:, None]
    fifth = (blocks[:, None, 16:48] >> bits) & 1  # [n, 8, 32]
    packed = blocks[:, 48:].reshape(-1, 4, 32)
    q = torch.stack((packed & 15, packed >> 4), dim=2).view(-1, 8, 32) | (fifth << 4)
    return (scale * q.float() - minimum).view(-1, 256)
