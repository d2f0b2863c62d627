"""Tensors of a file as parts of a network, with their shapes checked on the way."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..kernels.protocol import Kernels, Matrix, Vector
from ..kernels.records import NormKind
from ..layers.linear import Embedding, Linear, Parallel
from ..layers.norm import Norm
from ..weights.file import GGUFFile
from ..weights.header import TensorInfo
from ..weights.tensor import QuantizedTensor, load
from .place import Place, Placement


class Weights:
    """Everything is asked for by its GGUF name; what is missing or misshapen raises LlamaspecError naming it.

    fallback: a file for what this one lacks (a draft head takes its target's embedding and output). taken: told the
    bytes of each tensor that is asked for.
    """

    def __init__(
        self,
        file: GGUFFile,
        placement: Placement,
        eps: float,
        fallback: GGUFFile | None = None,
        taken: Callable[[int], None] = lambda size: None,
    ) -> None:
        self.file, self.placement, self.eps, self.fallback, self.taken = file, placement, eps, fallback, taken

    def __contains__(self, name: str) -> bool:
        return name in self.file.tensors or (self.fallback is not None and name in self.fallback.tensors)

    def at(self, name: str) -> Place:
        """Where a tensor, or everything behind a prefix, lives."""
        return self.placement.at(name)

    def beside(self, name: str) -> "Weights":
        """The same tensors, all of them where `name` lives."""
        place = self.at(name)
        everything = Placement.everything(place.device, place.kernels)
        return Weights(self.file, everything, self.eps, self.fallback, self.taken)

    def kernels(self, name: str) -> Kernels:
        """The back end of a tensor's place."""
        return self.at(name).kernels

    def packed(self, name: str, shape: Sequence[int]) -> QuantizedTensor:
        """The packed tensor, which must have this shape."""
        found = load(self._holder(name), name).expect(shape)
        self.taken(found.n_bytes)
        return found

    def numbers(self, name: str, *shape: int) -> np.ndarray:
        """A small tensor as float32 [*shape] on the host."""
        return self.kernels(name).numbers(self.packed(name, shape))

    def whole(self, name: str) -> np.ndarray:
        """A small tensor of any shape as float32 on the host."""
        return self.numbers(name, *self.info(name).shape)

    def vector(self, name: str, *shape: int) -> Vector:
        """A small tensor as float32 [*shape] in its place."""
        return self.kernels(name).vector(self.packed(name, shape))

    def optional(self, name: str, *shape: int) -> Vector | None:
        """A small tensor, or None where the file has none."""
        return self.vector(name, *shape) if name in self else None

    def norm(self, name: str, size: int, kind: NormKind = "rms", suffix: str = ".weight") -> Norm:
        """name without its suffix; its ".bias" is taken along if the file has one."""
        return Norm(kind, self.vector(f"{name}{suffix}", size), self.optional(f"{name}.bias", size), self.eps)

    def reshaped(self, name: str, *shape: int) -> Vector:
        """A small tensor of as many values as float32 [*shape], whatever its own shape."""
        own = self.packed(name, self.info(name).shape)
        if prod(own.shape) != prod(shape):
            own.expect(shape)
        return self.floats(name, self.kernels(name).numbers(own).reshape(shape))

    def floats(self, name: str, values: np.ndarray) -> Vector:
        """values as a small tensor in the place of `name`."""
        return self.kernels(name).vector(QuantizedTensor.of_floats(values, name))

    def info(self, name: str) -> TensorInfo:
        """What the file that has a tensor says of it."""
        return self._holder(name).info(name)

    def _holder(self, name: str) -> GGUFFile:
        """The file that is asked for a tensor."""
        return self.file if self.fallback is None or name in self.file.tensors else self.fallback

    def linear(self, name: str, out: int, inner: int) -> Linear:
        """name without ".weight"; its ".bias" and ".scale" are taken along if the file has them."""
        matrix, scale = self.matrix(f"{name}.weight", out, inner), self.scale(name)
        return Linear(matrix, self._bias(name, (out,), scale), self.kernels(name), scale)

    def scale(self, name: str) -> float:
        """What products with a tensor are multiplied by (NVFP4)."""
        return float(self.numbers(f"{name}.scale", 1)[0]) if f"{name}.scale" in self else 1.0

    def of_experts(self, name: str, count: int, out: int) -> tuple[Vector, Vector]:
        """The biases [count, out] and scales [count] of a stack, each None where the file has none."""
        if f"{name}.scale" not in self:
            return self.optional(f"{name}.bias", count, out), None
        scales = self.whole(f"{name}.scale").reshape(-1)
        scales = np.repeat(scales, count) if len(scales) == 1 else scales
        held = QuantizedTensor.of_floats(scales, f"{name}.scale").expect((count,))
        return self._bias(name, (count, out), scales[:, None]), self.kernels(name).vector(held)

    def _bias(self, name: str, shape: Sequence[int], scale: Any) -> Vector:
        """The bias divided by a tensor's scale, since that multiplies both; None where the file has none."""
        if f"{name}.bias" not in self:
            return None
        bias = f"{name}.bias"
        return self.floats(bias, self.numbers(bias, *shape) / scale)

    def matrix(self, name: str, *shape: int) -> Matrix:
        """A matrix [out, in] or a stack [count, out, in], prepared in its place."""
        return self.kernels(name).prepare(self.packed(name, shape))

    def embedding(self, name: str, n_vocab: int, width: int, scale: float = 1.0) -> Embedding:
        """name without ".weight"."""
        return Embedding(self.matrix(f"{name}.weight", n_vocab, width), scale)

    def table(self, name: str, count: int, width: int) -> Matrix:
        """Rows [count, width] that are only looked up."""
        return self.kernels(name).table(self.packed(name, (count, width)))

    def parallel(self, parts: Sequence[Linear], name: str) -> Parallel:
        """Projections of one input that live where `name` does."""
        return Parallel(parts, self.kernels(name))

    def split(self, fused: str, names: Sequence[str], outs: Sequence[int], inner: int) -> list[Linear]:
        """Several projections of one input: separate tensors, or the fused one cut by rows (spec/models.md 0, 7)."""
        prefix = fused.rpartition(".")[0]
        if f"{fused}.weight" not in self:
            return [self.linear(f"{prefix}.{name}", out, inner) for name, out in zip(names, outs, strict=True)]
        kernels, scale = self.kernels(fused), self.scale(fused)
        whole = self.packed(f"{fused}.weight", (sum(outs), inner))
        bias = self.numbers(f"{fused}.bias", sum(outs)) / scale if f"{fused}.bias" in self else None
        parts, start = [], 0
        for out in outs:
            part = cut(whole, start, out)
            own = None if bias is None else self.floats(fused, bias[start : start + out])
            parts.append(Linear(kernels.prepare(part), own, kernels, scale))
            start += out
        return parts

    def picked(self, name: str, parts: Sequence[np.ndarray], inner: int) -> list[Linear]:
        """Projections that are these rows of one tensor, which holds nothing else; name without ".weight"."""
        kernels, scale = self.kernels(name), self.scale(name)
        whole = self.packed(f"{name}.weight", (sum(len(rows) for rows in parts), inner))
        return [
            Linear(
                kernels.prepare(QuantizedTensor(whole.data[rows], whole.type, (len(rows), inner), whole.name)),
                None,
                kernels,
                scale,
            )
            for rows in parts
        ]

    def one_row(self, name: str, vector: QuantizedTensor) -> Linear:
        """A vector [in] as a matrix [1, in]."""
        kernels = self.kernels(name)
        matrix = QuantizedTensor(vector.data.reshape(1, -1), vector.type, (1, vector.shape[0]), vector.name)
        return Linear(kernels.prepare(matrix), None, kernels)

    def stack(self, name: str, count: int, out: int, inner: int) -> Matrix:
        """A stack of matrices [count, out, inner]; name without ".weight"."""
        return self.matrix(f"{name}.weight", count, out, inner)

    def gate_up_stacks(self, prefix: str, count: int, width: int, inner: int) -> list[Matrix]:
        """Stacks of gates and of ups: two tensors, or a fused one whose first half is the gate."""
        fused = f"{prefix}.ffn_gate_up_exps.weight"
        if fused not in self:
            return [self.stack(f"{prefix}.ffn_{part}_exps", count, width, inner) for part in ("gate", "up")]
        whole = self.packed(fused, (count, 2 * width, inner))
        by_expert = whole.data.reshape(count, 2 * width, -1)
        return [
            self.kernels(fused).prepare(
                QuantizedTensor(
                    by_expert[:, start : start + width].reshape(count * width, -1),
                    whole.type, (count, width, inner), whole.name,
                )
            )
            for start in (0, width)
        ]  # fmt: skip


def cut(whole: QuantizedTensor, start: int, out: int) -> QuantizedTensor:
    """Rows [start, start + out) of a packed matrix."""
    rows = whole.data[start : start + out]
    return QuantizedTensor(rows, whole.type, (out, whole.shape[-1]), whole.name, whole.mapped)
