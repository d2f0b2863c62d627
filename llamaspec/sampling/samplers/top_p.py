"""Top-p (nucleus): the likeliest tokens that together reach probability p (Holtzman et al. 2019)."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .. import rank
from ..mass import mass
from ..sampler import Rows, Stateless

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab


class Sampler(Stateless):
    """The token that crosses p stays; at least max(1, min_keep) tokens do."""

    name, letter = "top_p", "p"
    keeps_best = True

    def __init__(self, p: float, min_keep: int = 0) -> None:
        self.p, self.min_keep = p, max(1, min_keep)

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when p is 1 or more."""
        return cls(params.top_p, params.min_keep) if params.top_p < 1 else None

    def apply(self, logits: Tensor, rows: Rows, state: Any = None) -> Tensor:
        """logits [n, V] -> [n, V]."""
        split = mass(logits)
        order = rank.descending(logits, rows.ids)
        weights = split.weights.gather(-1, order)
        before = weights.cumsum(-1) - weights
        keep = before.double() < self.p * split.total.double()
        keep[..., : self.min_keep] = True
        return torch.where(torch.zeros_like(keep).scatter(-1, order, keep), logits, -torch.inf)
