"""Weights of the reference back end: unpacked once, or at every use."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ...weights.tensor import QuantizedTensor
from ..unpack import dequantize, rows


class DenseMatrix:
    """A weight, or a stack of them, unpacked once."""

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.shape = tuple(values.shape)

    def matmul(self, x: Tensor) -> Tensor:
        """x [N, in] -> [N, out] float32."""
        return F.linear(x.to(self.values.dtype), self.values).float()

    def rows(self, ids: Tensor) -> Tensor:
        """ids [N] -> [N, in] float32."""
        return self.values.index_select(0, ids).float()

    def part(self, number: int) -> "DenseMatrix":
        """One of a stack."""
        return DenseMatrix(self.values[number])


class PackedMatrix:
    """A weight, or a stack, unpacked at every use: slow, for models that do not fit unpacked.

    What it is unpacked into lives for one product; in a CUDA graph all layers share that piece of the graph's memory.
    The values, and so the bits, are those of a DenseMatrix.
    """

    def __init__(self, weight: QuantizedTensor, dtype: torch.dtype) -> None:
        self.weight, self.dtype = weight, dtype
        self.shape = weight.shape

    def matmul(self, x: Tensor) -> Tensor:
        """x [N, in] -> [N, out] float32."""
        return F.linear(x.to(self.dtype), dequantize(self.weight).to(self.dtype)).float()

    def rows(self, ids: Tensor) -> Tensor:
        """ids [N] -> [N, in] float32."""
        return rows(self.weight, ids)

    def part(self, number: int) -> "PackedMatrix":
        """One of a stack."""
        out = self.shape[1]
        data = self.weight.data.view(self.shape[0], out, -1)[number]
        return PackedMatrix(QuantizedTensor(data, self.weight.type, self.shape[1:], self.weight.name), self.dtype)


TorchMatrix = DenseMatrix | PackedMatrix


class SeparateProjections:
    """Matrices of one input, one product each."""

    def __init__(self, matrices: Sequence[TorchMatrix], biases: Sequence[Tensor | None]) -> None:
        self.parts = list(zip(matrices, biases, strict=True))

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> list[Tensor]:
        """x [N, in] -> [N, out_i] of each matrix; residual [N, out_0] is added to the first."""
        products = [matrix.matmul(x) if b is None else matrix.matmul(x) + b for matrix, b in self.parts]
        if residual is not None:
            products[0] = residual + products[0]
        return products
