"""Weights and instruction sets for the tests of the native kernels."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor

from llamaspec.kernels import native
from llamaspec.kernels.native.library import library
from llamaspec.weights.tensor import QuantizedTensor
from llamaspec.weights.types import BY_NAME

needs_library = pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")
QUANTS = tuple(name for name, block in BY_NAME.items() if block.elements > 1 and name not in ("Q8_1", "Q8_K"))
"""Types of packed quants: all but those of activations."""
HALVES = {
    "Q4_1": (0, 2), "Q5_1": (0, 2), "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,),
    "TQ1_0": (52,), "TQ2_0": (64,), "MXFP4": (), "NVFP4": (), "IQ1_M": (),
}  # fmt: skip
"""Where the half floats of a block are; in other types the first two bytes are the only one."""
ISAS = ("amx", "avx512", "avx-vnni", "avx2", "neon", "generic")


def weight(kind: str, n: int, k: int, seed: int = 0) -> QuantizedTensor:
    """[n, k] of random bytes with scales near 0.01, of either sign if they have one."""
    draw = torch.Generator().manual_seed(seed + 1000 * n + k)
    if kind not in QUANTS:
        values = torch.randn(n, k, generator=draw) * 0.1
        dtype = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[kind]
        return QuantizedTensor(values.to(dtype).view(torch.uint8).view(n, -1).numpy(), kind, (n, k), f"{kind} {n}x{k}")
    block = BY_NAME[kind]
    blocks = torch.randint(0, 256, (n * k // block.elements, block.bytes), dtype=torch.uint8, generator=draw)
    set_scales(blocks, kind, draw)
    return QuantizedTensor(blocks.view(n, -1).numpy(), kind, (n, k), f"{kind} {n}x{k}")


def set_scales(blocks: Tensor, kind: str, draw: torch.Generator) -> None:
    """Give blocks [n, BYTES] scales near 0.01."""
    for at in HALVES.get(kind, (0,)):
        blocks[:, at : at + 2] = (torch.randn(len(blocks), 1, generator=draw) * 0.01).half().view(torch.uint8)
    if kind == "MXFP4":
        blocks[:, 0] = torch.randint(118, 122, (len(blocks),), generator=draw)  # powers of two
    elif kind == "NVFP4":
        blocks[:, :4] &= 0x3F  # the exponents of small numbers
    elif kind == "IQ1_M":  # the upper byte of the half float is in nibbles
        blocks[:, 53] = 0x80 | (blocks[:, 53] & 15)
        blocks[:, 55] = 0x20 | (blocks[:, 55] & 0x8F)


def values(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal, but some rows large, some small, and one block of zeros."""
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    x[1::3] *= 100
    x[2::3] *= 1e-3
    x[0, : shape[1] // 2] = 0
    return x.numpy()


@contextmanager
def instructions(isa: str) -> Iterator[None]:
    """Run with the kernels of one instruction set; skips if this machine or build lacks it."""
    before = native.isa()
    if library().use(isa.encode()):
        pytest.skip(f"no {isa} kernels here")
    try:
        yield
    finally:
        library().use(before.encode())
