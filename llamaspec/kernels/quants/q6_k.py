"""Q6_K: 16 sub-blocks of 16 six-bit numbers around zero, each with a signed byte as scale, in units of a half float."""

import torch
from torch import Tensor

ELEMENTS = 256
BYTES = 210


def decode_torch(blocks: Tensor) -> Tensor:
    """blocks [n, 210] uint8 -> [n, 256] float32: unit * scale * (q - 32).

    For each half of 128 values: 64 bytes carry the low four bits (low nibbles first), 32 bytes the high pairs of bits,
    of which pair p of byte i belongs to value 32 p + i.
    """
    unit = blocks[:, 208:].view(torch.float16).float()
    scale = unit * blocks[:, 192:208].view(torch.int8).float()
    low = blocks[:, :128].reshape(-1, 2, 64)
    low = torch.cat((low & 15, low >> 4), dim=2)  # [n, 2, 128]
    pairs = torch.arange(0, 8, 2, dtype=torch.uint8, device=blocks.device)[:, None]
    high = (blocks[:, 128:192].reshape(-1, 2, 1, 32) >> pairs) & 3  # [n, 2, 4, 32]
    q = low | (high.view(-1, 2, 128) << 4)
    return (scale[:, :, None] * (q.view(-1, 16, 16).float() - 32)).view(-1, 256)
