"""Tensors of a file as parts of a network, with their shapes checked on the way."""

from collections.abc import Sequence

import numpy as np

from ..kernels.protocol import Kernels, Matrix, Vector
from ..kernels.records import NormKind
from ..layers.linear import Embedding, Linear, Parallel
from ..layers.norm import Norm
from ..weights.file import GGUFFile
from ..weights.tensor import QuantizedTensor, load
from .place import Place, Placement


class Weights:
    """Everything is asked for by its GGUF name; what is missing or misshapen raises LlamaspecError naming it.

    fallback: a file for what this one lacks (a draft head takes its target's embedding and output).
    """

    def __init__(self, file: GGUFFile, placement: Placement, eps: float, fallback: GGUFFile | None = None) -> None:
        self.file, self.placement, self.eps, self.fallback = file, placement, eps, fallback

    def __contains__(self, name: str) -> bool:
        return name in self.file.tensors or (self.fallback is not None and name in self.fallback.tensors)

    def at(self, name: str) -> Place:
        """Where a tensor, or everything behind a prefix, lives."""
        return self.placement.at(name)

    def kernels(self, name: str) -> Kernels:
        """The back end of a tensor's place."""
        return self.at(name).kernels

    def packed(self, name: str, shape: Sequence[int]) -> QuantizedTensor:
        """The packed tensor, which must have this shape."""
        own = name in self.file.tensors or self.fallback is None
        return load(self.file if own else self.fallback, name).expect(shape)  # type: ignore[arg-type]

    def numbers(self, name: str, size: int) -> np.ndarray:
        """A small tensor as float32 [size] on the host."""
        return self.kernels(name).numbers(self.packed(name, (size,)))

    def vector(self, name: str, *shape: int) -> Vector:
        """A small tensor as float32 [*shape] in its place."""
        return self.kernels(name).vector(self.packed(name, shape))

    def optional(self, name: str, *shape: int) -> Vector | None:
        """A small tensor, or None where the file has none."""
        return self.vector(name, *shape) if name in self else None

    def norm(self, name: str, size: int, kind: NormKind = "rms") -> Norm:
        """name without ".weight"; its ".bias" is taken along if the file has one."""
        return Norm(kind, self.vector(f"{name}.weight", size), self.optional(f"{name}.bias", size), self.eps)

    def linear(self, name: str, out: int, inner: int) -> Linear:
        """name without ".weight"; its ".bias" is taken along if the file has one."""
        matrix = self.matrix(f"{name}.weight", out, inner)
        return Linear(matrix, self.optional(f"{name}.bias", out), self.kernels(name))

    def matrix(self, name: str, *shape: int) -> Matrix:
        """A matrix [out, in] or a stack [count, out, in], prepared in its place."""
        return self.kernels(name).prepare(self.packed(name, shape))

    def embedding(self, name: str, n_vocab: int, width: int, scale: float = 1.0) -> Embedding:
        """name without ".weight"."""
        return Embedding(self.matrix(f"{name}.weight", n_vocab, width), scale)

    def parallel(self, parts: Sequence[Linear], name: str) -> Parallel:
        """Projections of one input that live where `name` does."""
        return Parallel(parts, self.kernels(name))

    def split(self, fused: str, names: Sequence[str], outs: Sequence[int], inner: int) -> list[Linear]:
        """Several projections of one input: separate tensors, or the fused one cut by rows (spec/models.md 0, 7)."""
        prefix = fused.rpartition(".")[0]
        if f"{fused}.weight" not in self:
            return [self.linear(f"{prefix}.{name}", out, inner) for name, out in zip(names, outs, strict=True)]
        kernels = self.kernels(fused)
        whole = self.packed(f"{fused}.weight", (sum(outs), inner))
        bias = self.packed(f"{fused}.bias", (sum(outs),)) if f"{fused}.bias" in self else None
        parts, start = [], 0
        for out in outs:
            part = cut(whole, start, out)
            own = (
                None
                if bias is None
                else kernels.vector(QuantizedTensor.of_floats(kernels.numbers(bias)[start : start + out]))
            )
            parts.append(Linear(kernels.prepare(part), own, kernels))
            start += out
        return parts

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
