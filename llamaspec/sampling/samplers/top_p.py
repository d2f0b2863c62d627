"""Top-p (nucleus): the likeliest tokens that together reach probability p (Holtzman et al. 2019)."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .. import rank
from ..mass import Mass, mass
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
        order, before = self._ranked(split, logits, rows)
        keep = before < self.p * split.total.double()
        keep[:, : self.min_keep] = True
        return torch.where(torch.zeros_like(logits, dtype=torch.bool).scatter(-1, order, keep), logits, -torch.inf)

    def _ranked(self, split: Mass, logits: Tensor, rows: Rows) -> tuple[Tensor, Tensor]:
        """-> columns [n, k] best first, and [n, k] float64: what the tokens before each one weigh together.

        Mostly a few hundred columns are enough; looking whether they are would be a host sync on CUDA.
        """
        width = logits.shape[-1]
        for size in (512, 8192) if logits.device.type == "cpu" else ():
            if max(size, self.min_keep) < width:
                order = rank.columns(logits, rows.ids, max(size, self.min_keep))
                before = _before(split.weights, order)
                if bool((before[:, -1:] >= self.p * split.total.double()).all()):
                    return order, before
        order = rank.columns(logits, rows.ids, width)
        return order, _before(split.weights, order)


def _before(weights: Tensor, order: Tensor) -> Tensor:
    ranked = weights.gather(-1, order)
    return (ranked.cumsum(-1) - ranked).double()
