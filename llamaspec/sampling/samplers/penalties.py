"""Repetition, frequency and presence penalties on the tokens of a window."""

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...arrays import Array, namespace
from ..edit import columns_of, edit
from ..sampler import Rows

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab


class Sampler:
    """last_n: window in tokens, prompt included. repeat divides positive logits and multiplies others (Keskar et al.
    2019, with llama.cpp's rule for the sign); frequency and presence are subtracted, per occurrence and once."""

    name, letter = "penalties", "e"
    stateless = keeps_best = needs_logits = False

    def __init__(self, last_n: int, repeat: float = 1.0, frequency: float = 0.0, presence: float = 0.0) -> None:
        self.last_n, self.repeat, self.frequency, self.presence = last_n, repeat, frequency, presence

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None without a window or without a penalty."""
        neutral = params.repeat_penalty == 1 and params.frequency_penalty == 0 and params.presence_penalty == 0
        if params.repeat_last_n == 0 or neutral:
            return None
        last_n = params.repeat_last_n if params.repeat_last_n > 0 else sys.maxsize
        return cls(last_n, params.repeat_penalty, params.frequency_penalty, params.presence_penalty)

    def start(self, prompt: Sequence[int]) -> tuple[int, ...]:
        """The window: the last tokens, newest last."""
        return tuple(prompt[-self.last_n :])

    def advance(self, state: tuple[int, ...], token: int, logits: Array | None = None) -> tuple[int, ...]:
        """The window with `token` at its end."""
        return (*state, token)[-self.last_n :]

    def apply(self, logits: Array, rows: Rows, state: tuple[int, ...]) -> Array:
        """logits [n, V] -> [n, V]."""
        seen = Counter(state)
        if not seen:
            return logits
        return edit(logits, rows.ids, *columns_of(seen, logits, rows.ids), self._penalised)

    def _penalised(self, logits: Array, counts: Array) -> Array:
        scaled = namespace(logits).where(logits <= 0, logits * self.repeat, logits / self.repeat)
        return scaled - (counts * self.frequency + self.presence)
