"""Temperature: divides the logits; dynamic temperature picks the divisor from the row's entropy."""

from typing import TYPE_CHECKING, Any

from ...arrays import Array, ascending, double, namespace
from .. import rank
from ..mass import mass
from ..sampler import Rows, Stateless

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab


class Sampler(Stateless):
    """temp <= 0 keeps the highest logit; spread > 0 moves between temp - spread and temp + spread with the entropy."""

    name, letter = "temperature", "t"

    def __init__(self, temp: float, spread: float = 0.0, exponent: float = 1.0) -> None:
        self.temp, self.spread, self.exponent = temp, spread, exponent

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None at temperature 1."""
        if params.temp == 1 and params.dynatemp_range <= 0:
            return None
        return cls(params.temp, params.dynatemp_range, params.dynatemp_exp)

    @property
    def greedy(self) -> bool:
        """One token is left, whatever the logits."""
        return self.temp <= 0 and self.spread <= 0

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]."""
        if self.greedy:
            return _best_only(logits, rows)
        if self.spread <= 0:
            return logits / self.temp
        # Entropy over its maximum, log of the number of tokens left (llama.cpp counts those at -inf too).
        xp = namespace(logits)
        left = xp.sum(xp.astype(~xp.isinf(logits), xp.int64), axis=-1, keepdims=True)
        share = mass(logits).entropy / xp.log(double(xp.clip(left, 2, None)))
        low, high = max(0.0, self.temp - self.spread), self.temp + self.spread
        temp = xp.astype(low + (high - low) * xp.clip(share, 0, None) ** self.exponent, xp.float32)
        scaled = xp.where(temp > 0, logits / xp.where(temp > 0, temp, 1.0), _best_only(logits, rows))
        return xp.where(left > 1, scaled, logits)


def _best_only(logits: Array, rows: Rows) -> Array:
    best = rank.first(logits, rows.ids)[:, None]
    ids = ascending(logits.shape[-1], logits) if rows.ids is None else rows.ids
    xp = namespace(logits)
    return xp.where(ids == best, logits, -xp.inf)
