"""ngram-map-k4v: up to four continuations per key, drafted only when one of them dominates."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from ..context import DrafterContext
from ..drafter import Slot
from ._ngram_map import MOST, Follow, History, Key, MapDrafter, MapParams


@dataclass(frozen=True)
class Params(MapParams):
    """size_n: tokens that must match. size_m: the longest draft. min_hits: occurrences that are needed."""

    flags = "--spec-ngram-map-k4v"


class Drafter(MapDrafter):
    """A vote of the continuations that followed a key (speculation spec 3.2).

    A continuation is the m tokens after the key. It is drafted when it was met at least twice as often as all the
    others together.
    Fixed, unless `compat`: every place of the key counts once (llama.cpp counts none behind the match, and the match
    again with every query); the draft is the text of the winning continuation (llama.cpp drafts the text after the
    match, even when another one won), and what MapDrafter lists.
    """

    name = "ngram-map-k4v"
    order = 30

    def __init__(self, params: Params | None = None, compat: bool = False) -> None:
        super().__init__(params or Params(), compat)

    def choose(self, sequence: History, slot: Slot, key: Key, at: int) -> Sequence[int]:
        """The dominating continuation, if there is one."""
        n, hits = self.params.size_n, self.params.min_hits
        if self.compat and key.hits < hits:
            return []
        self._count(slot, key, at)
        best = max(key.follows, key=lambda follow: follow.count)
        rest = sum(follow.count for follow in key.follows) - best.count
        if (rest and best.count < 2 * rest) or (not self.compat and best.count + rest < hits):
            return []
        return self.offer(sequence, slot, best, at + n if self.compat else best.start)

    def _count(self, slot: Slot, key: Key, at: int) -> None:
        """Counts what followed the key: at the places from the one counted last up to the match, both again."""
        tokens, n = slot.tokens, self.params.size_n
        windows = self.windows(slot)
        if self.compat:
            first, last = key.counted, at
        else:
            first, last = key.counted + 1, len(tokens) - 2 - n - self.params.size_m
        if first < last:
            places = (start for start in windows.starts(tokens, tokens[-n:]) if start <= last)
            fresh = list(takewhile(lambda start: start >= first, places))
        else:
            fresh = [at] if self.compat else []
        for start in reversed(fresh):
            self._meet(tokens, key, start + n)
        key.counted = last

    def _meet(self, tokens: list[int], key: Key, start: int) -> None:
        m = self.params.size_m
        text = tokens[start : start + m]
        for follow in key.follows:
            if not follow.start:
                follow.start, follow.count, follow.accepted = start, 1, m
                return
            if tokens[follow.start : follow.start + m] == text:
                follow.count = min(follow.count + 1, MOST)
                return

    def _keep(self, key: Key, cut: int) -> bool:
        """Drops continuations behind the cut; a key without any goes too."""
        follows = key.follows
        for i in reversed(range(len(follows))):
            if follows[i].start and follows[i].start >= cut:
                length = follows[-1].accepted
                del follows[i]
                follows.append(Follow(length))
        return follows[0].start != 0


def build(context: DrafterContext, params: Params) -> Drafter:
    """From the text alone."""
    return Drafter(params, context.compat != "own")
