"""The feed-forward part of a block."""

from torch import Tensor

from ..kernels.dispatch import Kernels
from .linear import Linear


class SwiGLU:
    """down(silu(gate x) * up x) (Shazeer 2020)."""

    def __init__(self, gate: Linear, up: Linear, down: Linear, kernels: Kernels) -> None:
        self.gate, self.up, self.down = gate, up, down
        self.kernels = kernels

    def __call__(self, x: Tensor) -> Tensor:
        """x [N, D] -> [N, D]."""
        return self.down(self.kernels.silu_mul(self.gate(x), self.up(x)))
