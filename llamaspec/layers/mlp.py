"""The feed-forward part of a block."""

from torch import Tensor

from ..kernels.dispatch import Kernels
from .linear import Linear, Parallel


class SwiGLU:
    """down(silu(gate x) * up x) (Shazeer 2020)."""

    def __init__(self, gate: Linear, up: Linear, down: Linear, kernels: Kernels) -> None:
        self.gate_up = Parallel([gate, up], kernels)
        self.down = down
        self.kernels = kernels

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """x, residual [N, D] -> [N, D]."""
        gate, up = self.gate_up(x)
        return self.down(self.kernels.silu_mul(gate, up), residual)
