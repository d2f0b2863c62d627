"""Attention with grouped keys and values over the cache."""

from dataclasses import dataclass

from torch import Tensor

from ..kernels.dispatch import Kernels, Reach
from .cache import Dense
from .linear import Linear
from .norm import RMSNorm


@dataclass(frozen=True)
class Turn:
    """What all layers of one pass share. cos, sin [N, width / 2]; slots, cells [N]: where the rows' keys go."""

    reach: Reach
    slots: Tensor
    cells: Tensor
    cos: Tensor
    sin: Tensor
    interleaved: bool


class Attention:
    """Project, norm per head if the model does, rotate, append to the cache, attend, project back."""

    def __init__(
        self,
        q: Linear,
        k: Linear,
        v: Linear,
        output: Linear,
        heads: int,
        kv_heads: int,
        scale: float,
        kernels: Kernels,
        q_norm: RMSNorm | None = None,
        k_norm: RMSNorm | None = None,
    ) -> None:
        self.q, self.k, self.v, self.output = q, k, v, output
        self.heads, self.kv_heads, self.scale = heads, kv_heads, scale
        self.q_norm, self.k_norm = q_norm, k_norm
        self.kernels = kernels

    def __call__(self, x: Tensor, turn: Turn, store: Dense) -> Tensor:
        """x [N, D] -> [N, D]."""
        n = x.shape[0]
        q = self.q(x).view(n, self.heads, -1)
        k = self.k(x).view(n, self.kv_heads, -1)
        v = self.v(x).view(n, self.kv_heads, -1)
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        q = self.kernels.rotate(q, turn.cos, turn.sin, turn.interleaved)
        k = self.kernels.rotate(k, turn.cos, turn.sin, turn.interleaved)
        store.append(k, v, turn.slots, turn.cells)
        attended = self.kernels.attend(q, store.k, store.v, turn.reach, self.scale)
        return self.output(attended.reshape(n, -1))
