"""Attention with grouped keys and values over the cache."""

from torch import Tensor

from ..kernels.dispatch import Held as Dense
from ..kernels.dispatch import Kernels, PassInfo
from .linear import Linear, Parallel
from .norm import RMSNorm


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
        self.qkv = Parallel([q, k, v], kernels)
        self.output = output
        self.heads, self.kv_heads, self.scale = heads, kv_heads, scale
        self.q_norm, self.k_norm = q_norm, k_norm
        self.kernels = kernels

    def __call__(self, x: Tensor, turn: PassInfo, store: Dense, residual: Tensor) -> Tensor:
        """x, residual [N, D] -> residual + attention of x [N, D]."""
        n = x.shape[0]
        q, k, v = self.qkv(x)
        q, k, v = q.view(n, self.heads, -1), k.view(n, self.kv_heads, -1), v.view(n, self.kv_heads, -1)
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        q = self.kernels.rotate(q, turn.cos, turn.sin, turn.interleaved)
        k = self.kernels.rotate(k, turn.cos, turn.sin, turn.interleaved)
        self.kernels.append(store.k, k, turn.slots, turn.cells)
        self.kernels.append(store.v, v, turn.slots, turn.cells)
        attended = self.kernels.attend(q, store.k, store.v, turn.index, self.scale)
        return self.output(attended.reshape(n, -1), residual)
