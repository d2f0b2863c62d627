"""Weights and instruction sets for the tests of the native kernels."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from llamaspec.kernels import native
from llamaspec.kernels.native.library import library
from llamaspec.weights.tensor import QuantizedTensor
from llamaspec.weights.types import BY_NAME

needs_library = pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")
HALVES = {"Q4_0": 1, "Q4_1": 2, "Q5_0": 1, "Q5_1": 2, "Q8_0": 1, "Q4_K": 2, "Q5_K": 2, "Q6_K": 1}
"""Half floats of a block: the first bytes, but the last of Q6_K."""
ISAS = ("amx", "avx512", "avx-vnni", "avx2", "neon", "generic")


def weight(kind: str, n: int, k: int, seed: int = 0) -> QuantizedTensor:
    """[n, k] of random bytes with scales near 0.01 of either sign."""
    draw = torch.Generator().manual_seed(seed + 1000 * n + k)
    if kind not in HALVES:
        values = torch.randn(n, k, generator=draw) * 0.1
        dtype = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[kind]
        return QuantizedTensor(values.to(dtype).view(torch.uint8).view(n, -1), kind, (n, k), f"{kind} {n}x{k}")
    block = BY_NAME[kind]
    blocks = torch.randint(0, 256, (n * k // block.elements, block.bytes), dtype=torch.uint8, generator=draw)
    for i in range(HALVES[kind]):
        scales = (torch.randn(len(blocks), generator=draw) * 0.01).half().view(torch.uint8).view(-1, 2)
        at = block.bytes - 2 if kind == "Q6_K" else 2 * i
        blocks[:, at : at + 2] = scales
    return QuantizedTensor(blocks.view(n, -1), kind, (n, k), f"{kind} {n}x{k}")


def values(*shape: int, seed: int = 0) -> Tensor:
    """Normal, but some rows large, some small, and one block of zeros."""
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    x[1::3] *= 100
    x[2::3] *= 1e-3
    x[0, : shape[1] // 2] = 0
    return x


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
