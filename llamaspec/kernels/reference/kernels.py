"""What the reference back end makes of weights and memory."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...arrays import Array
from ...weights.tensor import QuantizedTensor
from ..device import HOST, Device
from ..kv_types import F16, F32
from ..protocol import Batch, KVIndex, Operations, Store
from ..records import Delta
from ..unpack import dequantize, packed
from .matrices import DenseMatrix, PackedMatrix, SeparateProjections, TorchMatrix
from .operations import Rotation, TorchOperations
from .states import RowStates

PASS_ROWS = 16
"""Torch's matrix products give a row the same bits at any place of a fixed width, but not at any width."""


class Reference:
    """Torch kernels. On CUDA, weights live in bfloat16 (float16 for F16 files, float32 for F32 ones)."""

    name = "reference"
    pass_rows = widest = PASS_ROWS
    exhausted = (MemoryError, torch.OutOfMemoryError)
    unpacks = True

    def __init__(self, device: Device | torch.device = HOST, resident: bool = True, threads: int | None = None) -> None:
        """threads: of torch on a CPU, for the whole process; None = as they are."""
        self.device = torch.device(str(device))
        self.resident = resident
        self.exact = self.device.type == "cpu"
        if threads is not None:
            torch.set_num_threads(threads)
        self.prompt_rows = PASS_ROWS if self.exact else 512
        self.cache_type = F32 if self.exact else F16

    def prepare(self, weight: QuantizedTensor) -> TorchMatrix:
        """Unpack once if weights are to be resident."""
        weight = packed(weight, self.device)
        dtype = torch.float32
        if not self.exact and weight.type != "F32":
            dtype = torch.float16 if weight.type == "F16" else torch.bfloat16
        return DenseMatrix(dequantize(weight).to(dtype)) if self.resident else PackedMatrix(weight, dtype)

    def table(self, weight: QuantizedTensor) -> TorchMatrix:
        """As the file holds it."""
        return PackedMatrix(packed(weight, self.device), torch.float32)

    def vector(self, weight: QuantizedTensor) -> Tensor:
        """Float32 on the device."""
        return dequantize(weight).to(self.device)

    def numbers(self, weight: QuantizedTensor) -> np.ndarray:
        """Float32 on the host."""
        return dequantize(weight).cpu().numpy()

    def computing(self) -> AbstractContextManager[Any]:
        """Without gradients."""
        return torch.inference_mode()

    def here(self, values: Array) -> Tensor:
        """On this device."""
        return torch.as_tensor(values, device=self.device)

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
        return TorchOperations(self._moved(batch), stores, features)

    def _moved(self, batch: Batch) -> Batch:
        """The batch on this device."""
        index = batch.index
        return Batch(
            self.here(batch.tokens),
            self.here(batch.positions),
            self.here(batch.slots),
            self.here(batch.cells),
            KVIndex(
                self.here(index.positions),
                self.here(index.slots),
                self.here(index.lengths),
                None if index.paths is None else self.here(index.paths),
                index.blocks,
            ),
            None if batch.wanted is None else self.here(batch.wanted),
            None if batch.hidden is None else self.here(batch.hidden),
        )

    def record(self, run: Callable[[Operations], None]) -> None:
        """Torch computes operation by operation."""
