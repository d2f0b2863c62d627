"""Weights that multiply, with their biases."""

from collections.abc import Sequence

from ..kernels.protocol import Kernels, Matrix, Operations, Value, Vector


class Linear:
    """y = (x W^T + b) scale. scale: of a whole tensor (NVFP4), by which b is divided."""

    def __init__(self, matrix: Matrix, bias: Vector, kernels: Kernels, scale: float = 1.0) -> None:
        self.matrix, self.bias, self.scale = matrix, bias, scale
        self.projections = kernels.projections([matrix], [bias])

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x [N, in] -> [N, out], plus residual [N, out]."""
        if self.scale == 1.0:
            return ops.products(self.projections, x, residual)[0]
        y = ops.scale(ops.products(self.projections, x)[0], self.scale)
        return y if residual is None else ops.add(residual, y)

    def scaled(self, factor: float, kernels: Kernels) -> "Linear":
        """The same, times factor."""
        return Linear(self.matrix, self.bias, kernels, self.scale * factor)


class Parallel:
    """Several projections of the same rows, which a back end may do in one go."""

    def __init__(self, parts: Sequence[Linear], kernels: Kernels) -> None:
        self.parts = list(parts)
        self.projections = kernels.projections([part.matrix for part in parts], [part.bias for part in parts])

    def __call__(self, x: Value, ops: Operations) -> list[Value]:
        """x [N, in] -> [N, out_i] of each."""
        ys = ops.products(self.projections, x)
        return [y if part.scale == 1.0 else ops.scale(y, part.scale) for part, y in zip(self.parts, ys, strict=True)]


class Embedding:
    """A weight whose rows are looked up, times scale."""

    def __init__(self, matrix: Matrix, scale: float = 1.0) -> None:
        self.matrix, self.scale = matrix, scale

    def __call__(self, ops: Operations) -> Value:
        """-> [N, D]."""
        return ops.embed(self.matrix, self.scale)
