"""Tables that types look values up in, once per device.

They are kept, because a copy from the host within a forward pass could not be captured in a CUDA graph.
"""

from functools import cache

import torch
from torch import Tensor

from .. import codebooks

E2M1 = (0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)
"""Four-bit floats (a sign, two bits of exponent, one of mantissa), doubled; the doubling is taken out of the scale."""


@cache
def table(values: tuple[int, ...], device: torch.device) -> Tensor:
    """[len(values)] float32."""
    return torch.tensor(values, dtype=torch.float32, device=device)


@cache
def codebook(name: str, device: torch.device) -> Tensor:
    """The entries of the codebook of a type such as "IQ2_S": [256 to 2048, 4 or 8] float32."""
    return torch.from_numpy(codebooks.codebook(name)).to(device)


@cache
def signs_of_bytes(device: torch.device) -> Tensor:
    """[256, 8] float32: the signs that eight bits stand for, lowest bit first; a set bit is -1."""
    bytes_ = torch.arange(256, device=device)[:, None]
    return 1 - 2.0 * ((bytes_ >> torch.arange(8, device=device)) & 1)


@cache
def signs_of_seven(device: torch.device) -> Tensor:
    """[128, 8] float32: the same for seven bits, the eighth being their parity: an even number of signs is negative."""
    signs = signs_of_bytes(device)[:128].clone()
    signs[:, 7] = signs[:, :7].prod(1)
    return signs
