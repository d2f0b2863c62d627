"""ngram-simple: what followed the last time the newest n tokens stood in the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ..context import DrafterContext
from ..drafter import Follower, Slot
from ..knobs import Knobs, knob
from ._windows import Windows


@dataclass(frozen=True)
class Params(Knobs):
    """size_n: tokens that must match. size_m: the longest draft. min_hits: earlier occurrences that are needed."""

    flags = "--spec-ngram-simple"
    length, strictness = "size_m", "size_n"
    size_n: int = knob(12, 1, 1024)
    size_m: int = knob(48, 1, 1024)
    min_hits: int = knob(1, 1, 1024)


class Drafter(Follower):
    """Prompt lookup (speculation spec 3.1).

    The newest earlier occurrence of the last n tokens wins. If fewer than n tokens follow it there is no draft, and
    no older occurrence is tried. The very first token of the history is never part of a match.
    An index replaces llama.cpp's scan of the whole history; the answers are the same.
    Fixed, unless `compat`: min_hits, which llama.cpp parses and never uses, asks for that many earlier occurrences.
    """

    name = "ngram-simple"
    order = 10

    def __init__(self, params: Params | None = None, compat: bool = False) -> None:
        self.params: Params = params or Params()
        self.n_max = self.params.size_m
        self._hits = 1 if compat else self.params.min_hits
        self._windows: dict[int, Windows] = {}

    def begin(self, slot: Slot) -> None:
        """Indexes the prompt."""
        self.forget(slot)
        self._grown(slot)

    def forget(self, slot: Slot) -> None:
        """Drops the slot's index; the next call builds it again."""
        self._windows.pop(slot.id, None)

    def after(self, slot: Slot, ahead: Sequence[int]) -> Sequence[int]:
        """What may follow slot.tokens + ahead; nothing is learnt from `ahead`."""
        tokens, n, m = slot.tokens, self.params.size_n, self.params.size_m
        known = len(tokens) - 1  # the newest token is part of the key, not of the text to copy
        windows = self._grown(slot)
        if known <= n + m + 1:
            return []
        key = [*tokens[-n:], *ahead][-n:]
        hits = list(islice((start for start in windows.starts(tokens, key) if start > 0), self._hits))
        if len(hits) < self._hits:
            return []
        start = hits[0] + n
        take = min(m, known - start)
        return tokens[start : start + take] if take >= n else []

    def _grown(self, slot: Slot) -> Windows:
        windows = self._windows.get(slot.id)
        if windows is None:
            windows = self._windows[slot.id] = Windows(self.params.size_n)
        windows.grow(slot.tokens, len(slot.tokens) - 1 - self.params.size_n)
        return windows


def build(context: DrafterContext, params: Params) -> Drafter:
    """From the text alone."""
    return Drafter(params, context.compat != "own")
