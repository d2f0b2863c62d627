"""A weight that multiplies, and its bias."""

from torch import Tensor

from ..kernels.dispatch import Matrix


class Linear:
    """y = x W^T + b."""

    def __init__(self, matrix: Matrix, bias: Tensor | None = None) -> None:
        self.matrix = matrix
        self.bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        """x [N, in] -> [N, out]."""
        y = self.matrix.matmul(x)
        return y if self.bias is None else y + self.bias


class Embedding:
    """A weight whose rows are looked up."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    def __call__(self, tokens: Tensor) -> Tensor:
        """tokens [N] -> [N, D]."""
        return self.matrix.rows(tokens)
