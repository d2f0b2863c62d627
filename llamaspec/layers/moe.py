"""Mixture of experts: a router picks a few feed-forward parts per row (spec/models.md 1.4)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..kernels.dispatch import ExpertParts
from .linear import Linear
from .mlp import SwiGLU

SMALLEST_SUM = 6.1035e-5


class Experts:
    """Softmax routing over all experts, the best `used` of them weighted by their renormalised probability.

    A row adds up its experts in the order of their numbers, so its bits do not depend on where its neighbours are
    routed. Where the back end cannot gather rows by expert, every expert sees every row and the unchosen ones get
    weight 0: then no branch depends on data.
    """

    def __init__(self, router: Linear, experts: Sequence[SwiGLU], used: int) -> None:
        self.router, self.experts, self.used = router, experts, used
        self.gathered = experts[0].kernels.gather([_parts(expert) for expert in experts])

    def __call__(self, x: Tensor, residual: Tensor) -> Tensor:
        """x, residual [N, D] -> [N, D]."""
        chosen, weights = self.route(x)
        if self.gathered is not None:
            return residual + self.gathered(x, chosen, weights)
        return residual + self.dense(x, chosen, weights)

    def route(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [N, D] -> experts [N, used] int64, rising in each row, and their weights. Of equal ones the first wins."""
        probabilities = torch.softmax(self.router(x), dim=-1)  # [N, E]
        best, ranked = probabilities.sort(dim=-1, descending=True, stable=True)  # topk breaks ties at will
        best = best[:, : self.used]
        best = best / best.sum(-1, keepdim=True).clamp(min=SMALLEST_SUM)
        chosen, places = ranked[:, : self.used].sort(dim=-1)
        return chosen, best.gather(1, places)

    def dense(self, x: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """x [N, D], chosen and weights [N, used] -> [N, D] from every expert."""
        spread = torch.zeros((x.shape[0], len(self.experts)), device=x.device).scatter(1, chosen, weights)
        total = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            total = total + spread[:, number : number + 1] * expert(x)
        return total


def _parts(expert: SwiGLU) -> ExpertParts:
    linears = [*expert.gate_up.parts, expert.down]
    gate, up, down = (linear.matrix for linear in linears)
    return ExpertParts(gate, up, down, [linear.bias for linear in linears])
