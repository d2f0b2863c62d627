"""Kimi delta attention: a gated delta net whose states fade by channel (Kimi Linear, 2025)."""

from dataclasses import dataclass

from ..kernels.protocol import Operations, Value, Vector
from ..kernels.records import Delta
from .linear import Linear, Parallel
from .norm import Norm


@dataclass(frozen=True)
class KimiDeltaAttention:
    """inputs: the projections q, k, v, the low ranks of decay and gate, and beta. conv [channels, kernel]: then SiLU.

    unit: brings queries and keys to length 1. decay, gate: out of their low ranks. dt_bias, rate [heads * size]: of the
    decay. norm: of a head's result.
    """

    inputs: Parallel
    conv: Vector
    unit: Norm
    decay: Linear
    dt_bias: Vector
    rate: Vector
    gate: Linear
    norm: Norm
    output: Linear
    how: Delta
    store: int

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> residual + the result for x [N, D]."""
        how = self.how
        inner = how.heads * how.size
        q, k, v, decay, gate, beta = self.inputs(x, ops)
        qkv = ops.conv(self.store, ops.join((q, k, v), 1), self.conv, None, "silu")
        q = self.unit(ops.columns(qkv, 0, inner), ops, how.heads)
        k = self.unit(ops.columns(qkv, inner, 2 * inner), ops, how.heads)
        v = ops.columns(qkv, 2 * inner, 3 * inner)
        decay = ops.decay(self.decay(decay, ops), self.dt_bias, self.rate)
        y = self.norm(ops.delta(self.store, q, k, v, ops.gate("sigmoid", beta), decay, how), ops, how.heads)
        return self.output(ops.gate("sigmoid", self.gate(gate, ops), y), ops, residual)
