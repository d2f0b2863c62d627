"""The native functions as a back end: what `kernels.dispatch` hands to the layers of a model on the CPU."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...weights.tensor import QuantizedTensor
from .. import dispatch
from . import ops
from .blocks import Blocks, fusible
from .experts import Gathered, gatherable
from .packed import Packed, Together, supports

PROMPT_ROWS = 128


class Native:
    """C++ kernels; a row's bits do not depend on its company, so passes need no padding.

    threads: of every call; None = one per core.
    """

    name = "native"
    pass_rows = None
    prompt_rows = PROMPT_ROWS
    cache_type = torch.float16

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads

    def prepare(self, weight: QuantizedTensor) -> Packed:
        """Repack. A type or width without a native layout is unpacked to float32 first."""
        if not supports(weight.type, weight.shape[-1]):
            values = dispatch.dequantize(weight)
            data = values.view(torch.uint8).view(weight.rows, -1)
            weight = QuantizedTensor(data, "F32", weight.shape, weight.name)
        return Packed(weight, self.threads)

    def together(self, matrices: Sequence[dispatch.Matrix], biases: Sequence[Tensor | None]) -> dispatch.Projection:
        """The activations are rounded once for all matrices."""
        return Together([matrix for matrix in matrices if isinstance(matrix, Packed)], biases)

    def gather(self, experts: Sequence[dispatch.ExpertParts]) -> dispatch.Mixture | None:
        """Only chosen experts are evaluated; None where a matrix has no native layout."""
        return Gathered(experts, self.threads) if gatherable(experts) else None

    def fuse(self, blocks: Sequence[dispatch.BlockParts], ends: dispatch.EndParts) -> dispatch.Run | None:
        """One call into the library for all of them; None where a matrix has no native layout."""
        return Blocks(blocks, ends, self.threads) if fusible(blocks, ends) else None

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        """x [..., D] -> same."""
        return ops.rms_norm(x, weight, eps)

    def rotate(self, x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool) -> Tensor:
        """x [N, H, head] -> same."""
        return ops.rotate(x, cos, sin, interleaved)

    def silu_mul(self, gate: Tensor, up: Tensor) -> Tensor:
        """gate, up [N, F] -> silu(gate) * up."""
        return ops.silu_mul(gate, up, threads=self.threads)

    def append(self, held: Tensor, x: Tensor, slots: Tensor, cells: Tensor) -> None:
        """x [N, K, head] into cells [N] of slots [N] of held [S, K, C, head]."""
        ops.store(x, held, slots, cells)

    def attend(self, q: Tensor, k: Tensor, v: Tensor, index: dispatch.KVIndex, scale: float) -> Tensor:
        """q [N, H, head], k and v [S, K, C, head] -> [N, H, head_v]."""
        return ops.attend(q, k, v, index, scale, threads=self.threads)
