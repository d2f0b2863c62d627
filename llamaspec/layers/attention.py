"""Attention with grouped keys and values over the cache."""

from typing import Any

from ..kernels.protocol import Kernels, Operations, Value
from ..kernels.records import Attend
from .linear import Linear, Parallel
from .norm import Norm


class Attention:
    """Project, norm queries and keys if the model does, rotate, append to the cache, attend, project back.

    store: number of the layer's store. rotation None: positions are not told apart. norms: of queries and keys;
    norm_groups: how many parts of a vector each takes by itself. gated: q gives a gate behind every head's query.
    """

    def __init__(
        self,
        q: Linear,
        k: Linear,
        v: Linear,
        output: Linear,
        how: Attend,
        store: int,
        kernels: Kernels,
        rotation: Any = None,
        norms: tuple[Norm, Norm] | None = None,
        norm_groups: tuple[int, int] = (1, 1),
        gated: bool = False,
    ) -> None:
        self.qkv = Parallel([q, k, v], kernels)
        self.output, self.how, self.store, self.rotation = output, how, store, rotation
        self.norms, self.norm_groups, self.gated = norms, norm_groups, gated

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> residual + attention of x [N, D]."""
        how = self.how
        q, k, v = self.qkv(x, ops)
        gate = None
        if self.gated:
            q, gate = ops.split(q, how.heads, (how.key, how.key))
        if self.norms is not None:
            (q_norm, k_norm), (q_groups, k_groups) = self.norms, self.norm_groups
            q, k = q_norm(q, ops, q_groups), k_norm(k, ops, k_groups)
        if self.rotation is not None:
            q = ops.rotate(q, self.rotation, how.heads)
            k = ops.rotate(k, self.rotation, how.kv_heads)
        ops.append(self.store, 0, k, how.kv_heads)
        ops.append(self.store, 1, v, how.kv_heads)
        attended = ops.attend(self.store, q, how)
        if gate is not None:
            attended = ops.gate("sigmoid", gate, attended)
        return self.output(attended, ops, residual)
