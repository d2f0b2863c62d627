"""Copies of recurrent states on the way, so that a sequence can go back without starting again."""

from collections.abc import Callable
from typing import Any

EVERY = 512
"""Tokens between two checkpoints of a slot."""
KEPT = 4
"""Checkpoints per slot, the newest; a state of a 4B model's layer takes about 2 MB."""


class Checkpoints:
    """By slot: the number of tokens -> the state behind them."""

    def __init__(self) -> None:
        self.by_slot: dict[int, dict[int, Any]] = {}

    def offer(self, slot: int, length: int, state: Callable[[], Any]) -> None:
        """A state of so many tokens is at hand; `state` copies it if a checkpoint is due."""
        kept = self.by_slot.setdefault(slot, {})
        newest = max(kept, default=0)
        if length // EVERY <= newest // EVERY:
            return
        kept[length] = state()
        for old in sorted(kept)[:-KEPT]:
            del kept[old]

    def latest(self, slot: int, length: int) -> tuple[int, Any]:
        """The newest that has at most so many tokens, (0, None) if there is none; newer ones are dropped."""
        kept = self.by_slot.setdefault(slot, {})
        for newer in [at for at in kept if at > length]:
            del kept[newer]
        at = max(kept, default=0)
        return at, kept.get(at)

    def copy(self, source: int, target: int) -> None:
        """A slot gets another's checkpoints; states are never changed in place."""
        self.by_slot[target] = dict(self.by_slot.get(source, {}))
