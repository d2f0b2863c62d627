"""Locally typical sampling: tokens whose surprise is nearest to the entropy, up to probability p (Meister 2022)."""

from typing import TYPE_CHECKING, Any

from ...arrays import Array, double, namespace
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

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]."""
        xp, split = namespace(logits), mass(logits)
        by_rank = rank.columns(logits, rows.ids, logits.shape[-1])  # decides between equal scores
        score = xp.take_along_axis(abs(split.surprise - split.entropy), by_rank, axis=-1)
        order = xp.take_along_axis(by_rank, xp.argsort(score, axis=-1, stable=True), axis=-1)
        weights = xp.take_along_axis(split.weights, order, axis=-1)
        before = xp.cumulative_sum(weights, axis=-1) - weights
        keep = double(before) <= self.p * double(split.total)
        keep[..., : self.min_keep] = True
        return rank.only(logits, order, keep)
