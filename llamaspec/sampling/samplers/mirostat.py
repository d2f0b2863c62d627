"""Mirostat 1 and 2: truncation that holds the surprise of the chosen tokens at tau bits (Basu et al. 2020)."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ...arrays import Array, ascending, like, namespace
from ...errors import UsageError
from .. import rank
from ..mass import mass
from ..sampler import Rows

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab

_LIKELIEST = 100
"""Version 1 estimates the exponent of Zipf's law from this many tokens."""


class Sampler:
    """The state is mu, the surprise in bits allowed next; eta is the learning rate. Stands behind the temperature."""

    name, letter = "mirostat", ""
    stateless = keeps_best = False
    needs_logits = True

    def __init__(self, version: int, tau: float = 5.0, eta: float = 0.1) -> None:
        if version not in (1, 2):
            raise UsageError(f"there is no mirostat version {version}", hint="0 off, 1 or 2")
        self.version, self.tau, self.eta = version, tau, eta

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when mirostat is 0."""
        return cls(params.mirostat, params.mirostat_ent, params.mirostat_lr) if params.mirostat else None

    def start(self, prompt: Sequence[int]) -> float:
        """mu = 2 tau."""
        return 2 * self.tau

    def advance(self, state: float, token: int, logits: Array | None = None) -> float:
        """mu after `token` was chosen from the logits [V] given to `apply`: by its surprise among those left."""
        assert logits is not None
        left = self._keep(logits[None], None, state)
        surprise = float(mass(left).surprise[0, token]) / math.log(2)
        return state - self.eta * (surprise - self.tau)

    def apply(self, logits: Array, rows: Rows, state: float) -> Array:
        """logits [n, V] -> [n, V]."""
        return self._keep(logits, rows.ids, state)

    def _keep(self, logits: Array, ids: Array | None, mu: float) -> Array:
        order = rank.columns(logits, ids, logits.shape[-1])
        xp = namespace(logits)
        if self.version == 2:
            keep = xp.take_along_axis(mass(logits).surprise, order, axis=-1) <= mu * math.log(2)
        else:
            ranked = xp.take_along_axis(logits, order[:, :_LIKELIEST], axis=-1).tolist()
            counts = [_zipf_count(row, mu, logits.shape[-1]) for row in ranked]
            keep = ascending(logits.shape[-1], logits) < like(counts, logits)[:, None]
        keep[:, 0] = True
        return rank.only(logits, order, keep)


def _zipf_count(ranked: Sequence[float], mu: float, n_vocab: int) -> int:
    """How many tokens to keep so that the expected surprise is mu, if log p falls with log rank (section 4)."""
    steps = [
        (math.log((i + 2) / (i + 1)), high - low) for i, (high, low) in enumerate(pairwise(ranked)) if low != -math.inf
    ]
    squares = sum(t * t for t, _ in steps)
    slope = sum(t * b for t, b in steps) / squares if squares else 0.0
    over = slope - 1
    try:
        count = (over * 2**mu / (1 - n_vocab**-over)) ** (1 / slope)
    except (ZeroDivisionError, OverflowError):  # a slope of 0 or 1 has no estimate; llama.cpp keeps one token too
        return 1
    return max(1, min(int(count), n_vocab)) if isinstance(count, float) and math.isfinite(count) else 1
