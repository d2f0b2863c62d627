"""A mixture of experts in which only the chosen ones work, each once for all its rows (spec/models.md 1.4)."""

from collections.abc import Sequence
from ctypes import Array

import torch
from torch import Tensor

from ...errors import LlamaspecError
from ..dispatch import ExpertParts
from . import ops
from .library import Product, library
from .packed import Packed, as_float32
from .threads import how_many

FLOAT = 4
"""Bytes."""


class Gathered:
    """Rows are put together by expert, multiplied, and put back: a row of a product has the same bits in any company.

    A row adds up its experts in the order of their numbers, as evaluating all of them would. One call at a time: the
    prepared calls are filled in anew by each.
    """

    def __init__(self, experts: Sequence[ExpertParts], threads: int | None = None) -> None:
        """Raises ValueError if the matrices of an expert do not fit each other or the other experts'."""
        self.native = library()
        self.threads = how_many(threads)
        self.inner, self.width = experts[0].gate.shape
        self.kept: list[Packed | Tensor] = []  # what the pointers point to
        wanted = [(self.inner, self.width), (self.inner, self.width), (self.width, self.inner)]
        for expert in experts:
            shapes = [expert.gate.shape, expert.up.shape, expert.down.shape]
            if shapes != wanted:
                raise ValueError(f"the matrices of an expert have shapes {shapes}, not {wanted}")
        self.first = [self._calls([e.gate, e.up], e.biases[:2]) for e in experts]
        self.last = [self._calls([e.down], e.biases[2:]) for e in experts]

    def __call__(self, x: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """x [N, D], chosen [N, used] int64 rising in each row, weights [N, used] -> [N, D]."""
        n, used = chosen.shape
        pairs = chosen.flatten()
        order = pairs.argsort(stable=True)
        counts = torch.bincount(pairs, minlength=len(self.first)).tolist()
        x = as_float32(x, self.width).index_select(0, order // used)
        gate, up = torch.empty((n * used, self.inner)), torch.empty((n * used, self.inner))
        self._multiply(self.first, counts, x, [gate, up])
        y = torch.empty_like(x)
        self._multiply(self.last, counts, ops.silu_mul(gate, up, self.threads), [y])
        parts = torch.empty_like(y).index_copy_(0, order, y).view(n, used, self.width) * weights.unsqueeze(-1)
        total = torch.zeros((n, self.width))
        for part in parts.unbind(1):
            total += part
        return total

    def _multiply(
        self, calls: Sequence[Array[Product]], counts: Sequence[int], x: Tensor, ys: Sequence[Tensor]
    ) -> None:
        """x and ys: the rows of expert 0, then those of expert 1, ..., counts[i] of each."""
        start, columns = 0, x.shape[-1]
        for call, rows in zip(calls, counts, strict=True):
            if not rows:
                continue
            for product, y in zip(call, ys, strict=True):
                product.y = y.data_ptr() + FLOAT * start * product.ldy
            data = x.data_ptr() + FLOAT * start * columns
            if self.native.products(call, len(ys), data, columns, rows, self.threads):
                raise LlamaspecError(f"out of memory while multiplying {rows} rows", hint="use a smaller --ubatch-size")
            start += rows

    def _calls(self, matrices: Sequence[object], biases: Sequence[Tensor | None]) -> Array[Product]:
        """Products of one x; what they point to is kept."""
        calls = (Product * len(matrices))()
        for call, matrix, bias in zip(calls, matrices, biases, strict=True):
            assert isinstance(matrix, Packed)
            self.kept.append(matrix)
            call.w, call.ldy = matrix.handle, matrix.out
            if bias is not None:
                self.kept.append(bias := as_float32(bias, matrix.out))
                call.bias = bias.data_ptr()
        return calls


def gatherable(experts: Sequence[ExpertParts]) -> bool:
    """Whether every matrix has a native layout."""
    return bool(experts) and all(
        isinstance(matrix, Packed) for expert in experts for matrix in (expert.gate, expert.up, expert.down)
    )
