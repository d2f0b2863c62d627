"""Top-n-sigma: logits within n standard deviations of the highest (Tang et al. 2024)."""

import sys
from typing import TYPE_CHECKING, Any

from ...arrays import Array, double, namespace
from ..mass import ONE, fixed
from ..sampler import Rows, Stateless

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab

SMALLEST = sys.float_info.min


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

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]. The deviation is over the tokens that are left (-inf does not count)."""
        xp, values = namespace(logits), double(logits)
        best = xp.max(values, axis=-1, keepdims=True)
        left = ~xp.isinf(logits)
        count = xp.sum(double(left), axis=-1, keepdims=True)
        # Gaps below the best, as parts of the largest one, fit the fixed-point sums of mass.py.
        gap = xp.where(left, best - values, 0.0)
        widest = xp.max(gap, axis=-1, keepdims=True)
        part = gap / xp.clip(widest, SMALLEST, None)
        mean = _sum(part) / count
        variance = _sum((part - mean) ** 2 * left) / count
        floor = best - self.n * widest * xp.sqrt(variance)
        return xp.where(values >= floor, logits, -xp.inf)


def _sum(parts: Array) -> Array:
    """parts [n, V] of at most 1 -> [n, 1], whatever the order."""
    return double(namespace(parts).sum(fixed(parts), axis=-1, keepdims=True)) / ONE
