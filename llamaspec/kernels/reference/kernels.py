"""What the reference back end makes of weights and memory."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ...weights.tensor import QuantizedTensor
from ..kv_types import F16, F32
from ..protocol import Batch, Operations, Store
from ..records import Delta
from ..unpack import dequantize
from .matrices import DenseMatrix, PackedMatrix, SeparateProjections, TorchMatrix
from .operations import Rotation, TorchOperations
from .states import RowStates

PASS_ROWS = 16
"""Torch's matrix products give a row the same bits at any place of a fixed width, but not at any width."""


class Reference:
    """Torch kernels. On CUDA, weights live in bfloat16 (float16 for F16 files, float32 for F32 ones)."""

    name = "reference"
    pass_rows = widest = PASS_ROWS
    own_threads = False
    unpacks = True

    def __init__(self, device: torch.device, resident: bool = True) -> None:
        self.device = device
        self.resident = resident
        self.exact = device.type == "cpu"
        self.prompt_rows = PASS_ROWS if self.exact else 512
        self.cache_type = F32 if self.exact else F16

    def prepare(self, weight: QuantizedTensor) -> TorchMatrix:
        """Unpack once if weights are to be resident."""
        weight = weight.to(self.device)
        dtype = torch.float32
        if not self.exact and weight.type != "F32":
            dtype = torch.float16 if weight.type == "F16" else torch.bfloat16
        return DenseMatrix(dequantize(weight).to(dtype)) if self.resident else PackedMatrix(weight, dtype)

    def vector(self, weight: QuantizedTensor) -> Tensor:
        """Float32 on the device."""
        return dequantize(weight).to(self.device)

    def projections(self, matrices: Sequence[TorchMatrix], biases: Sequence[Tensor | None]) -> SeparateProjections:
        """One product per matrix."""
        return SeparateProjections(matrices, biases)

    def rotation(self, frequencies: np.ndarray, amplitude: float, interleaved: bool) -> Rotation:
        """Angles are computed in float64."""
        return Rotation(torch.from_numpy(frequencies).to(self.device), amplitude, interleaved)

    def resident_bytes(self, weights: Mapping[str, tuple[str, int, int]]) -> int:
        """All values unpacked."""
        return sum(values for _, values, _ in weights.values()) * (4 if self.exact else 2)

    def zeros(self, shape: Sequence[int]) -> Tensor:
        """[shape] uint8. On the CPU calloc's pages take no memory until they are written."""
        if self.device.type != "cpu":
            return torch.zeros(tuple(shape), dtype=torch.uint8, device=self.device)
        return torch.from_numpy(np.zeros(tuple(shape), np.uint8))

    def recurrence(self, slots: int, how: Delta) -> RowStates:
        """A state per row of a branch."""
        return RowStates(self, slots, how)

    def operations(self, batch: Batch, stores: Sequence[Store], features: Sequence[int]) -> TorchOperations:
        """Computed one by one."""
        return TorchOperations(batch, stores, features)

    def record(self, run: Callable[[Operations], None]) -> None:
        """Torch computes operation by operation."""
