"""Gated delta net: linear attention with a state per head (Yang et al. 2024; spec/models.md 2.3)."""

from dataclasses import dataclass

from ..kernels.protocol import Operations, Value, Vector
from ..kernels.records import Delta
from .linear import Linear, Parallel
from .norm import Norm


@dataclass(frozen=True)
class GatedDeltaNet:
    """inputs: the projections qkv, z, beta and alpha. conv [channels, kernel]: over q, k and v, causal, then SiLU.

    unit: brings queries and keys to length 1. dt_bias, rate [heads]: of the decay. norm: of a head's result.
    """

    inputs: Parallel
    conv: Vector
    unit: Norm
    dt_bias: Vector
    rate: Vector
    norm: Norm
    output: Linear
    how: Delta
    store: int

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> residual + the result for x [N, D]."""
        how = self.how
        keys, values = how.key_heads * how.size, how.heads * how.size
        qkv, z, beta, alpha = self.inputs(x, ops)
        qkv = ops.conv(self.store, qkv, self.conv, None, "silu")
        q = self.unit(ops.columns(qkv, 0, keys), ops, how.key_heads)
        k = self.unit(ops.columns(qkv, keys, 2 * keys), ops, how.key_heads)
        v = ops.columns(qkv, 2 * keys, 2 * keys + values)
        beta = ops.gate("sigmoid", beta)
        decay = ops.decay(alpha, self.dt_bias, self.rate)
        y = self.norm(ops.delta(self.store, q, k, v, beta, decay, how), ops, how.heads)
        return self.output(ops.gate("silu", z, y), ops, residual)
