"""Top-p (nucleus): the likeliest tokens that together reach probability p (Holtzman et al. 2019)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Array, double, namespace
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

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]."""
        split = mass(logits)
        order, before = self._ranked(split, logits, rows)
        keep = before < self.p * double(split.total)
        keep[:, : self.min_keep] = True
        return rank.only(logits, order, keep)

    def _ranked(self, split: Mass, logits: Array, rows: Rows) -> tuple[Array, Array]:
        """-> columns [n, k] best first, and [n, k] float64: what the tokens before each one weigh together.

        Mostly a few hundred columns are enough; looking whether they are would make the host wait for a device.
        """
        width = logits.shape[-1]
        for size in (512, 8192) if isinstance(logits, np.ndarray) else ():
            if max(size, self.min_keep) < width:
                order = rank.columns(logits, rows.ids, max(size, self.min_keep))
                before = _before(split.weights, order)
                if bool((before[:, -1:] >= self.p * double(split.total)).all()):
                    return order, before
        order = rank.columns(logits, rows.ids, width)
        return order, _before(split.weights, order)


def _before(weights: Array, order: Array) -> Array:
    xp = namespace(weights)
    ranked = xp.take_along_axis(weights, order, axis=-1)
    return double(xp.cumulative_sum(ranked, axis=-1) - ranked)
