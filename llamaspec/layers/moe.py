"""Mixture of experts: a router picks a few feed-forward parts per row (spec/models.md 1.4)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .linear import Linear
from .mlp import SwiGLU

SMALLEST_SUM = 6.1035e-5


class Experts:
    """Softmax routing over all experts, the best `used` of them weighted by their renormalised probability.

    Every expert sees every row and the unchosen ones get weight 0: no branch depends on data, and a row's bits do not
    depend on where its neighbours are routed.
    """

    def __init__(self, router: Linear, experts: Sequence[SwiGLU], used: int) -> None:
        self.router, self.experts, self.used = router, experts, used

    def __call__(self, x: Tensor, residual: Tensor) -> Tensor:
        """x, residual [N, D] -> [N, D]."""
        probabilities = torch.softmax(self.router(x), dim=-1)  # [N, E]
        best, chosen = probabilities.topk(self.used, dim=-1)
        best = best / best.sum(-1, keepdim=True).clamp(min=SMALLEST_SUM)
        weights = torch.zeros_like(probabilities).scatter(1, chosen, best)
        total = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            total = total + weights[:, number : number + 1] * expert(x)
        return residual + total
