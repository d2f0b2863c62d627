"""Top-k: only the k highest logits are left."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...arrays import Array, namespace
from .. import rank
from ..sampler import Rows, Stateless

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab


class Sampler(Stateless):
    """k >= 1; of equal logits the lowest ids stay."""

    name, letter = "top_k", "k"
    keeps_best = True

    def __init__(self, k: int) -> None:
        self.k = k

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when k is 0 or less."""
        return cls(params.top_k) if params.top_k > 0 else None

    def narrow(self, logits: Array, rows: Rows) -> tuple[Array, Rows]:
        """logits [n, V] -> [n, k], best first, and rows with their ids; unchanged when there are no more than k."""
        if self.k >= logits.shape[-1]:
            return logits, rows
        values, ids = rank.top(logits, rows.ids, self.k)
        return values, replace(rows, ids=ids)

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]."""
        if self.k >= logits.shape[-1]:
            return logits
        at = rank.columns(logits, rows.ids, self.k)
        xp = namespace(logits)
        return rank.only(logits, at, xp.ones(at.shape, dtype=xp.bool, device=at.device))
