"""XTC, exclude top choices: with some probability, of the tokens above a threshold only the least likely stays."""

from typing import TYPE_CHECKING, Any

from ...arrays import Array, namespace
from .. import rank
from ..mass import mass
from ..noise import XTC, uniform
from ..sampler import Rows, Stateless

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab


class Sampler(Stateless):
    """The coin is the uniform number of stream 1 at token 0, so it belongs to the position (decisions.md, Noise)."""

    name, letter = "xtc", "x"

    def __init__(self, probability: float, threshold: float, min_keep: int = 0) -> None:
        self.probability, self.threshold, self.min_keep = probability, threshold, min_keep

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when the probability is 0 or less, or the threshold above 0.5 (no two tokens can reach it)."""
        if params.xtc_probability <= 0 or params.xtc_threshold > 0.5:
            return None
        return cls(params.xtc_probability, params.xtc_threshold, params.min_keep)

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]."""
        xp = namespace(logits)
        left = ~xp.isinf(logits)
        above = left & (mass(logits).probs >= self.threshold)
        ranks = rank.keys(logits, rows.ids)
        least = xp.min(xp.where(above, ranks, xp.iinfo(xp.int64).max), axis=-1, keepdims=True)
        out = above & (ranks > least)
        token = xp.zeros((1, 1), dtype=xp.int64, device=logits.device)
        coin = uniform(rows.seed, rows.positions, token, XTC, rows.attempt) <= self.probability
        enough = xp.sum(xp.astype(left & ~out, xp.int64), axis=-1, keepdims=True) >= self.min_keep
        return xp.where(out & coin & enough, -xp.inf, logits)
