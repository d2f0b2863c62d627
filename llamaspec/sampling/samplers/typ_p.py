"""Locally typical sampling: tokens whose surprise is nearest to the entropy, up to probability p (Meister 2022)."""

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

    name, letter = "typ_p", "y"

    def __init__(self, p: float, min_keep: int = 0) -> None:
        self.p, self.min_keep = p, max(1, min_keep)

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when p is 1 or more."""
        return cls(params.typical_p, params.min_keep) if params.typical_p < 1 else None

    def apply(self, logits: Tensor, rows: Rows, state: Any = None) -> Tensor:
        """logits [n, V] -> [n, V]."""
        split = mass(logits)
        by_rank = rank.columns(logits, rows.ids, logits.shape[-1])  # decides between equal scores
        score = (split.surprise - split.entropy).abs().gather(-1, by_rank)
        order = by_rank.gather(-1, score.sort(dim=-1, stable=True).indices)
        weights = split.weights.gather(-1, order)
        before = weights.cumsum(-1) - weights
        keep = before.double() <= self.p * split.total.double()
        keep[..., : self.min_keep] = True
        return torch.where(torch.zeros_like(keep).scatter(-1, order, keep), logits, -torch.inf)
