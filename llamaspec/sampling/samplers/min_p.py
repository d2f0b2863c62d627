"""Min-p: tokens at least p times as likely as the likeliest (Nguyen et al. 2024)."""

import math
from typing import TYPE_CHECKING, Any

from ...arrays import Array, namespace, put
from .. import rank
from ..sampler import Rows, Stateless

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab


class Sampler(Stateless):
    """p > 0; at least min_keep tokens stay."""

    name, letter = "min_p", "m"
    keeps_best = True

    def __init__(self, p: float, min_keep: int = 0) -> None:
        self.gap, self.min_keep = math.log(p), min_keep

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when p is 0 or less."""
        return cls(params.min_p, params.min_keep) if params.min_p > 0 else None

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]."""
        xp = namespace(logits)
        best = xp.max(logits, axis=-1, keepdims=True)
        keep = logits >= best + self.gap
        if self.min_keep > 1 or self.gap > 0:
            at = rank.columns(logits, rows.ids, min(max(1, self.min_keep), logits.shape[-1]))
            keep = put(keep, at, xp.ones(at.shape, dtype=xp.bool, device=at.device))
        return xp.where(keep, logits, -xp.inf)
