"""DRY: a penalty, growing exponentially, on tokens that would extend a verbatim repetition (p-e-w 2024)."""

import math
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import sub
from typing import TYPE_CHECKING

from ...arrays import Array
from ...errors import UsageError
from ..edit import columns_of, edit
from ..sampler import Rows

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab

Breakers = Mapping[int, Sequence[tuple[int, ...]]]
"""First token of a sequence breaker -> the tokens that may follow; () when the token is a breaker by itself."""

_MAX_TAIL = 20
_MAX_BYTES = 40
_LOG_FLOAT_MAX = 88.7228391


class Sampler:
    """The token behind an earlier copy of the last m tokens, m >= allowed, loses multiplier * base^(m - allowed)."""

    name, letter = "dry", "d"
    stateless = keeps_best = needs_logits = False

    def __init__(self, multiplier: float, base: float, allowed: int, last_n: int, breakers: Breakers) -> None:
        self.multiplier, self.base, self.allowed, self.last_n = multiplier, base, allowed, last_n
        self.breakers = breakers
        self.most = int(_LOG_FLOAT_MAX / math.log(base)) if base > 1.000001 else 0
        """The highest exponent that fits a float; 0: no limit is needed."""

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when the multiplier is 0, the base below 1 or the window empty."""
        if params.dry_multiplier == 0 or params.dry_base < 1 or params.dry_penalty_last_n == 0:
            return None
        if vocab is None and params.dry_sequence_breaker:
            raise UsageError("DRY needs the vocabulary for its sequence breakers", hint="pass the model's tokenizer")
        found = breakers(params.dry_sequence_breaker, vocab) if vocab else {}
        last_n = params.dry_penalty_last_n if params.dry_penalty_last_n > 0 else sys.maxsize
        return cls(params.dry_multiplier, params.dry_base, params.dry_allowed_length, last_n, found)

    def start(self, prompt: Sequence[int]) -> tuple[int, ...]:
        """The window: the last tokens, newest last."""
        return tuple(prompt[-self.last_n :])

    def advance(self, state: tuple[int, ...], token: int, logits: Array | None = None) -> tuple[int, ...]:
        """The window with `token` at its end."""
        return (*state, token)[-self.last_n :]

    def apply(self, logits: Array, rows: Rows, state: tuple[int, ...]) -> Array:
        """logits [n, V] -> [n, V]."""
        lengths = self.repeats(state)
        if not lengths:
            return logits
        penalties = {token: self.multiplier * self.base ** self._exponent(m) for token, m in lengths.items()}
        return edit(logits, rows.ids, *columns_of(penalties, logits, rows.ids), sub)

    def repeats(self, window: Sequence[int]) -> dict[int, int]:
        """Token -> length of the longest repetition that it would extend, for the tokens to penalise."""
        back = window[::-1]
        limit = self._limit(back)
        if len(back) <= self.allowed or limit < self.allowed:
            return {}
        longest: dict[int, int] = {}
        for at, matched in enumerate(_matches(back)[1:], start=1):
            length, token = min(matched, limit), back[at - 1]
            if length >= self.allowed and () not in self.breakers.get(token, ()):
                longest[token] = max(length, longest.get(token, length))
        return longest

    def _exponent(self, length: int) -> int:
        above = length - self.allowed
        return min(above, self.most) if self.most else above

    def _limit(self, back: Sequence[int]) -> int:
        """How many of the newest tokens come after the newest complete sequence breaker."""
        for at, token in enumerate(back):
            tails = self.breakers.get(token, ())
            after = [len(tail) for tail in tails if len(tail) <= at and tail == tuple(back[at - len(tail) : at][::-1])]
            if after:
                return at - max(after)
        return len(back)


def _matches(text: Sequence[int]) -> list[int]:
    """How far the text agrees with itself from each position on: the Z function (Gusfield 1997), in linear time."""
    lengths = [0] * len(text)
    left = right = 0  # the rightmost stretch text[left:right] known to equal the beginning
    for at in range(1, len(text)):
        length = min(lengths[at - left], right - at) if at < right else 0
        while at + length < len(text) and text[length] == text[at + length]:
            length += 1
        lengths[at] = length
        if at + length > right:
            left, right = at, at + length
    return lengths


@lru_cache(maxsize=4)
def breakers(texts: tuple[str, ...], vocab: "Vocab") -> Breakers:
    """Which tokens begin or contain each text. A token that ends inside a text needs the rest of it as its tail.

    Goes through all pieces of the vocabulary, about a second for 150,000 tokens, so it is done once and kept.
    """
    wanted = [text.encode()[:_MAX_BYTES] for text in texts if text]
    found: dict[int, list[tuple[int, ...]]] = {}
    rests: dict[bytes, tuple[int, ...]] = {}
    for token in range(vocab.n_vocab):
        piece = vocab.piece(token, special=True)
        for text in wanted:
            if text in piece:
                found.setdefault(token, []).append(())
                continue
            for covered in range(min(len(text) - 1, len(piece)), 0, -1):
                if piece.endswith(text[:covered]):
                    rest = text[covered:]
                    if rest not in rests:
                        words = vocab.encode(rest.decode(errors="replace"), add_special=False, parse_special=False)
                        rests[rest] = tuple(words[:_MAX_TAIL])
                    if rests[rest] not in found.setdefault(token, []):
                        found[token].append(rests[rest])
    return found
