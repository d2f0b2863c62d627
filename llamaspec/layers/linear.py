"""Weights that multiply, with their biases."""

from collections.abc import Sequence

from ..kernels.protocol import Kernels, Matrix, Operations, Value, Vector


class Linear:
    """y = x W^T + b."""

    def __init__(self, matrix: Matrix, bias: Vector, kernels: Kernels) -> None:
        self.matrix, self.bias = matrix, bias
        self.projections = kernels.projections([matrix], [bias])

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x [N, in] -> [N, out], plus residual [N, out]."""
        return ops.products(self.projections, x, residual)[0]


class Parallel:
    """Several projections of the same rows, which a back end may do in one go."""

    def __init__(self, parts: Sequence[Linear], kernels: Kernels) -> None:
        self.parts = list(parts)
        self.projections = kernels.projections([part.matrix for part in parts], [part.bias for part in parts])

    def __call__(self, x: Value, ops: Operations) -> list[Value]:
        """x [N, in] -> [N, out_i] of each."""
        return ops.products(self.projections, x)


class Embedding:
    """A weight whose rows are looked up, times scale."""

    def __init__(self, matrix: Matrix, scale: float = 1.0) -> None:
        self.matrix, self.scale = matrix, scale

    def __call__(self, ops: Operations) -> Value:
        """-> [N, D]."""
        return ops.embed(self.matrix, self.scale)
