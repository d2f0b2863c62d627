"""Multi-head latent attention in its absorbed form (DeepSeek 2024; spec/models.md 2.1)."""

from dataclasses import dataclass
from typing import Any

from ..kernels.protocol import Matrix, Operations, Value
from ..kernels.records import Attend, Temper
from .indexer import LightningIndexer, SharedChoice
from .linear import Linear
from .norm import Norm


@dataclass(frozen=True)
class QueryProjection:
    """Queries in one product, or in two with a norm between them."""

    last: Linear
    first: Linear | None = None
    norm: Norm | None = None

    def low(self, x: Value, ops: Operations) -> Value:
        """x [N, D] -> [N, rank], what `last` reads; x itself where there is one product."""
        if self.first is not None and self.norm is not None:
            return self.norm(self.first(x, ops), ops)
        return x


@dataclass(frozen=True)
class LatentAttention:
    """All heads share one key [c | rope], which is all that the cache keeps; its first c values are the value too.

    k_b [H, c, nope] brings a head's query into the space of c, v_b [H, value, c] its result out of it. nope, rope:
    widths of the two parts of a head's query.
    """

    q: QueryProjection
    kv: Linear
    kv_norm: Norm
    k_b: Matrix
    v_b: Matrix
    output: Linear
    how: Attend
    nope: int
    rope: int
    store: int
    rotation: Any
    temper: Temper | None = None
    indexer: LightningIndexer | SharedChoice | None = None

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> residual + attention of x [N, D]."""
        heads, c = self.how.heads, self.how.value
        low = self.q.low(x, ops)
        chosen = None if self.indexer is None else self.indexer(x, low, ops)
        q_nope, q_rope = ops.split(self.q.last(low, ops), heads, (self.nope, self.rope))
        kv = self.kv(x, ops)
        latent = self.kv_norm(ops.columns(kv, 0, c), ops)
        k_rope = ops.columns(kv, c, c + self.rope)
        if self.rotation is not None:
            k_rope, q_rope = ops.rotate(k_rope, self.rotation, 1), ops.rotate(q_rope, self.rotation, heads)
        ops.append(self.store, 0, ops.join((latent, k_rope), 1), 1)
        q = ops.join((ops.heads(self.k_b, q_nope), q_rope), heads)
        if self.temper is not None:
            q = ops.temper(q, self.temper)
        attended = ops.attend(self.store, q, self.how, values=0, chosen=chosen)
        return self.output(ops.heads(self.v_b, attended), ops, residual)
