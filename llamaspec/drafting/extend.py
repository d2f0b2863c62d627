"""A model's draft made longer by drafters that read tokens only."""

from collections.abc import Sequence
from typing import Protocol

from .draft import Draft
from .drafter import Drafter, Kept, Slot


class Follower(Protocol):
    """A drafter that can look past a draft, as ngram-simple, ngram-mod, ngram-cache and suffix can."""

    name: str
    n_max: int

    def after(self, slot: Slot, ahead: Sequence[int]) -> Sequence[int]:
        """What may follow slot.tokens + ahead. Nothing is learnt from `ahead`."""
        ...


class Extended:
    """A drafter whose full-length chains the first follower with an idea continues.

    A chain shorter than the drafter's n_max ended because the drafter was not sure, and trees have no single end:
    both stay as they are. n_max: nodes of the longest draft. All tokens count as the drafter's own; it hears of its
    own part when they are accepted. The followers must be drafters of the same engine, so that they know the history.
    """

    def __init__(self, drafter: Drafter, followers: Sequence[Follower], n_max: int) -> None:
        self.drafter, self.followers = drafter, tuple(followers)
        self.name, self.features, self.top = drafter.name, drafter.features, drafter.top
        self.params = getattr(drafter, "params", None)
        self.n_max = max(n_max, drafter.n_max)
        self._own: dict[int, int] = {}

    def begin(self, slot: Slot) -> None:
        """Passed on."""
        self.drafter.begin(slot)

    def forget(self, slot: Slot) -> None:
        """Passed on."""
        self.drafter.forget(slot)

    def observe(self, slot: Slot, rows: Kept) -> None:
        """Passed on."""
        self.drafter.observe(slot, rows)

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """The drafter's drafts, the full-length chains continued up to n_max and the slot's limit."""
        drafts = self.drafter.propose(slots)
        self._own |= {slot.id: len(draft) for slot, draft in zip(slots, drafts, strict=True) if draft}
        return [self._longer(slot, draft) for slot, draft in zip(slots, drafts, strict=True)]

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """The drafter hears of the tokens it wrote itself."""
        self.drafter.accept(slot, min(n, self._own.get(slot.id, 0)) if mine else n, mine)

    def _longer(self, slot: Slot, draft: Draft) -> Draft:
        limit = min(self.n_max, slot.limit) if slot.limit > 0 else self.n_max
        room = limit - len(draft)
        if room <= 0 or not draft or len(draft) < self.drafter.n_max or not draft.is_chain:
            return draft
        for follower in self.followers:
            more = follower.after(slot, draft.tokens)[:room]
            if more:
                return Draft.chain([*draft.tokens, *more], draft.by)
        return draft
