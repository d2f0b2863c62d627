"""Tensors of a file as parts of a network, with their shapes checked on the way."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..kernels.dispatch import Kernels, dequantize
from ..layers.linear import Embedding, Linear
from ..layers.norm import RMSNorm
from ..weights.file import GGUFFile
from ..weights.tensor import QuantizedTensor, load


class Weights:
    """Everything is asked for by its GGUF name; what is missing or misshapen raises LlamaspecError naming it."""

    def __init__(self, file: GGUFFile, kernels: Kernels, device: torch.device, eps: float) -> None:
        self.file, self.kernels, self.device, self.eps = file, kernels, device, eps

    def __contains__(self, name: str) -> bool:
        return name in self.file.tensors

    def packed(self, name: str, shape: Sequence[int]) -> QuantizedTensor:
        """The packed tensor, which must have this shape."""
        return load(self.file, name).expect(shape)

    def vector(self, name: str, size: int) -> Tensor:
        """A small tensor as float32 [size]."""
        return dequantize(self.packed(name, (size,))).to(self.device)

    def norm(self, name: str, size: int) -> RMSNorm:
        """name without ".weight"."""
        return RMSNorm(self.vector(f"{name}.weight", size), self.eps, self.kernels)

    def linear(self, name: str, out: int, inner: int) -> Linear:
        """name without ".weight"; its ".bias" is taken along if the file has one."""
        bias = self.vector(f"{name}.bias", out) if f"{name}.bias" in self else None
        return self._linear(self.packed(f"{name}.weight", (out, inner)), bias)

    def embedding(self, name: str, n_vocab: int, width: int) -> Embedding:
        """name without ".weight"."""
        return Embedding(self.kernels.prepare(self.packed(f"{name}.weight", (n_vocab, width))))

    def split(self, fused: str, names: Sequence[str], outs: Sequence[int], inner: int) -> list[Linear]:
        """Several projections of one input: separate tensors, or the fused one cut by rows (spec/models.md 0, 7)."""
        prefix = fused.rpartition(".")[0]
        if f"{fused}.weight" not in self:
            return [self.linear(f"{prefix}.{name}", out, inner) for name, out in zip(names, outs, strict=True)]
        whole = self.packed(f"{fused}.weight", (sum(outs), inner))
        bias = self.vector(f"{fused}.bias", sum(outs)) if f"{fused}.bias" in self else None
        parts, start = [], 0
        for out in outs:
            part = QuantizedTensor(whole.data[start : start + out], whole.type, (out, inner), whole.name)
            parts.append(self._linear(part, None if bias is None else bias[start : start + out]))
            start += out
        return parts

    def experts(self, name: str, count: int, out: int, inner: int) -> list[Linear]:
        """A stack of expert matrices [count, out, inner], one Linear each."""
        whole = self.packed(f"{name}.weight", (count, out, inner))
        packed_rows = whole.data.view(count, out, -1)
        return [
            self._linear(QuantizedTensor(packed_rows[i], whole.type, (out, inner), whole.name)) for i in range(count)
        ]

    def _linear(self, weight: QuantizedTensor, bias: Tensor | None = None) -> Linear:
        return Linear(self.kernels.prepare(weight), bias, self.kernels)
