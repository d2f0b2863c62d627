"""Top-n-sigma: logits within n standard deviations of the highest (Tang et al. 2024)."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..mass import ONE, fixed
from ..sampler import Rows, Stateless

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab


class Sampler(Stateless):
    """n > 0."""

    name, letter = "top_n_sigma", "s"
    keeps_best = True

    def __init__(self, n: float) -> None:
        self.n = n

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when n is 0 or less."""
        return cls(params.top_n_sigma) if params.top_n_sigma > 0 else None

    def apply(self, logits: Tensor, rows: Rows, state: Any = None) -> Tensor:
        """logits [n, V] -> [n, V]. The deviation is over the tokens that are left (-inf does not count)."""
        best = logits.amax(-1, keepdim=True)
        left = ~logits.isinf()
        count = left.sum(-1, keepdim=True).double()
        # Gaps below the best, as parts of the largest one, fit the fixed-point sums of mass.py.
        gap = torch.where(left, best.double() - logits.double(), 0.0)
        widest = gap.amax(-1, keepdim=True)
        part = gap / widest.clamp(min=torch.finfo(torch.float64).tiny)
        mean = fixed(part).sum(-1, keepdim=True).double() / ONE / count
        variance = fixed((part - mean) ** 2 * left).sum(-1, keepdim=True).double() / ONE / count
        floor = best.double() - self.n * widest * variance.sqrt()
        return torch.where(logits.double() >= floor, logits, -torch.inf)
