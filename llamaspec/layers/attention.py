"""Attention with grouped keys and values over the cache."""

from dataclasses import dataclass
from typing import Any

from ..kernels.protocol import Operations, Value
from ..kernels.records import Attend, Temper
from .linear import Linear, Parallel
from .norm import Norm


@dataclass(frozen=True)
class HeadNorms:
    """Of queries, keys and values. groups: how many parts of a query and of a key are normalised by themselves.

    last: those of queries and keys stand behind the rotation.
    """

    q: Norm | None = None
    k: Norm | None = None
    v: Norm | None = None
    groups: tuple[int, int] = (1, 1)
    last: bool = False


@dataclass(frozen=True)
class Attention:
    """Project, norm queries and keys if the model does, rotate, append to the cache, attend, project back.

    projections: of queries; of keys; of values, or without them values are what keys are made of. store: number of the
    layer's store; with queries alone it is another layer's. rotation None: positions are not told apart. gated: q gives
    a gate behind every head's query. temper: queries grow with their position.
    """

    projections: Parallel
    output: Linear
    how: Attend
    store: int
    rotation: Any = None
    norms: HeadNorms = HeadNorms()
    gated: bool = False
    temper: Temper | None = None

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> residual + attention of x [N, D]."""
        how, gate = self.how, None
        q, *kv = self.projections(x, ops)
        if self.gated:
            q, gate = ops.split(q, how.heads, (how.key, how.key))
        q = self._placed(q, self.norms.q, self.norms.groups[0], how.heads, ops)
        if self.temper is not None:
            q = ops.temper(q, self.temper)
        if kv:
            k = self._placed(kv[0], self.norms.k, self.norms.groups[1], how.kv_heads, ops)
            v = kv[-1] if self.norms.v is None else self.norms.v(kv[-1], ops, how.kv_heads)
            ops.append(self.store, 0, k, how.kv_heads)
            ops.append(self.store, 1, v, how.kv_heads)
        attended = ops.attend(self.store, q, how)
        if gate is not None:
            attended = ops.gate("sigmoid", gate, attended)
        return self.output(attended, ops, residual)

    def _placed(self, x: Value, norm: Norm | None, groups: int, heads: int, ops: Operations) -> Value:
        """Queries or keys [N, heads * key], normalised and turned."""
        if norm is not None and not self.norms.last:
            x = norm(x, ops, groups)
        if self.rotation is not None:
            x = ops.rotate(x, self.rotation, heads)
        return norm(x, ops, groups) if norm is not None and self.norms.last else x
