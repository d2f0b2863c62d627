"""Tables that types look values up in, once per device. The codebooks are those of the `gguf` package.

They are kept, because a copy from the host within a forward pass could not be captured in a CUDA graph.
"""

from functools import cache

import torch
from torch import Tensor

E2M1 = (0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)
"""Four-bit floats (a sign, two bits of exponent, one of mantissa), doubled; the doubling is taken out of the scale."""


@cache
def table(values: tuple[int, ...], device: torch.device) -> Tensor:
    """[len(values)] float32."""
    return torch.tensor(values, dtype=torch.float32, device=device)
