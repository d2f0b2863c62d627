"""A gated short convolution: what LFM2 has in place of most attention layers (spec/models.md 2.5)."""

from dataclasses import dataclass

from ..kernels.protocol import Operations, Value, Vector
from .linear import Linear, Parallel


@dataclass(frozen=True)
class GatedShortConv:
    """y = out(c * conv(b * x)). inputs: the projections b, c and x. conv [D, kernel]: causal, per channel."""

    inputs: Parallel
    conv: Vector
    output: Linear
    store: int

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> residual + the result for x [N, D]."""
        b, c, inner = self.inputs(x, ops)
        y = ops.conv(self.store, ops.gate("none", b, inner), self.conv, None, "none")
        return self.output(ops.gate("none", c, y), ops, residual)
