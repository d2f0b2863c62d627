"""Weights that multiply, with their biases."""

from collections.abc import Sequence

from torch import Tensor

from ..kernels.dispatch import Kernels, Matrix


class Linear:
    """y = x W^T + b."""

    def __init__(self, matrix: Matrix, bias: Tensor | None, kernels: Kernels) -> None:
        self.matrix, self.bias = matrix, bias
        self.product = kernels.together([matrix], [bias])

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """x [N, in] -> [N, out], plus residual [N, out]."""
        return self.product(x, residual)[0]


class Parallel:
    """Several projections of the same rows, which a back end may do in one go."""

    def __init__(self, parts: Sequence[Linear], kernels: Kernels) -> None:
        self.parts = list(parts)
        self.product = kernels.together([part.matrix for part in parts], [part.bias for part in parts])

    def __call__(self, x: Tensor) -> list[Tensor]:
        """x [N, in] -> [N, out_i] of each."""
        return self.product(x)


class Embedding:
    """A weight whose rows are looked up."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    def __call__(self, tokens: Tensor) -> Tensor:
        """tokens [N] -> [N, D]."""
        return self.matrix.rows(tokens)
