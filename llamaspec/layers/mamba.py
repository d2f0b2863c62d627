"""Mamba-2: linear attention whose states decay as every row says (Dao and Gu 2024; spec/models.md 2.5)."""

from dataclasses import dataclass

from ..kernels.protocol import Operations, Value, Vector
from ..kernels.records import Delta
from .linear import Linear, Parallel
from .norm import Norm


@dataclass(frozen=True)
class Mamba2:
    """inputs: the projections z, xBC and dt (whose bias is that of the time step). conv [channels, kernel].

    rate [heads]: of the decay. skip [heads]: what goes around the states. zero [heads]: the decay's own bias.
    norm: of each group of the result.
    """

    inputs: Parallel
    conv: Vector
    conv_bias: Vector
    rate: Vector
    skip: Vector
    zero: Vector
    norm: Norm | None
    output: Linear
    how: Delta
    store: int

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> residual + the result for x [N, D]."""
        how = self.how
        inner, vector = how.heads * how.value, how.key_heads * how.size
        z, xbc, dt = self.inputs(x, ops)
        xbc = ops.conv(self.store, xbc, self.conv, self.conv_bias, "silu")
        values = ops.columns(xbc, 0, inner)
        b, c = ops.columns(xbc, inner, inner + vector), ops.columns(xbc, inner + vector, inner + 2 * vector)
        decay, step = ops.decay(dt, self.zero, self.rate), ops.gate("softplus", dt)
        y = ops.gate("silu", z, ops.delta(self.store, c, b, values, step, decay, how, self.skip))
        y = y if self.norm is None else self.norm(y, ops, how.key_heads)
        return self.output(y, ops, residual)
