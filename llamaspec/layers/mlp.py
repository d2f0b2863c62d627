"""The feed-forward part of a block."""

from ..kernels.protocol import Kernels, Operations, Value
from ..kernels.records import Activation
from .linear import Linear, Parallel


class MLP:
    """down(activation(gate x) * up x) (Shazeer 2020: SwiGLU, GeGLU), or down(activation(up x)) without a gate."""

    def __init__(self, gate: Linear | None, up: Linear, down: Linear, activation: Activation, kernels: Kernels) -> None:
        self.inner = Parallel([up] if gate is None else [gate, up], kernels)
        self.down = down
        self.activation: Activation = activation

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> [N, D]."""
        inner = ops.gate(self.activation, *self.inner(x, ops))
        return self.down(inner, ops, residual)
