"""ngram-map-k: what followed the last n tokens before, as long as that key's drafts were good for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from ..context import DrafterContext
from ..drafter import Slot
from ._ngram_map import History, Key, MapDrafter, MapParams


@dataclass(frozen=True)
class Params(MapParams):
    """size_n: tokens that must match. size_m: the longest draft. min_hits: earlier occurrences that are needed."""

    flags = "--spec-ngram-map-k"


class Drafter(MapDrafter):
    """One continuation per key: the text after the match (speculation spec 3.2).

    Fixed, unless `compat`: min_hits is consulted (llama.cpp drafts at the first match whatever it says), and what
    MapDrafter lists.
    """

    name = "ngram-map-k"
    order = 20

    def __init__(self, params: Params | None = None, compat: bool = False) -> None:
        super().__init__(params or Params(), compat)

    def choose(self, sequence: History, slot: Slot, key: Key, at: int) -> Sequence[int]:
        """The text after the match."""
        n, hits = self.params.size_n, self.params.min_hits
        if hits > 1 and not self.compat:
            last = len(slot.tokens) - n
            earlier = (start for start in self.windows(slot).starts(slot.tokens, slot.tokens[-n:]) if start < last)
            if len(list(islice(earlier, hits))) < hits:
                return []
        return self.offer(sequence, slot, key.follows[0], at + n)


def build(context: DrafterContext, params: Params) -> Drafter:
    """From the text alone."""
    return Drafter(params, context.compat != "own")
