"""--spec-extend: a model's draft made longer by drafters that read tokens only."""

from collections.abc import Sequence

from ..errors import UsageError
from .build import kinds
from .draft import Draft
from .drafter import Drafter, Follower, Slot
from .wrapper import Wrapper


def extended(drafters: Sequence[Drafter], n_max: int) -> list[Drafter]:
    """The drafters, those that draw on a model extended by the others up to n_max tokens.

    Raises UsageError if none of the others can extend a draft.
    """
    followers = [drafter for drafter in drafters if isinstance(drafter, Follower)]
    if not followers:
        able = [kind.drafter.name for kind in kinds() if issubclass(kind.drafter, Follower)]
        raise UsageError(
            "--spec-extend needs a drafter that can continue a draft",
            hint=f"add one of these to --spec-type: {', '.join(able)}",
        )
    return [Extended(drafter, followers, n_max) if drafter.needs_model else drafter for drafter in drafters]


class Extended(Wrapper):
    """When the drafter proposes a full-length chain, the first follower that has a guess extends it.

    A chain shorter than the drafter's n_max ended because the drafter was not sure, and trees have no single end:
    both stay as they are. n_max: nodes of the longest draft. All tokens count as the drafter's own; it hears of its
    own part when they are accepted. The followers must be drafters of the same engine, so that they know the history.
    """

    def __init__(self, drafter: Drafter, followers: Sequence[Follower], n_max: int) -> None:
        super().__init__(drafter)
        self.followers = tuple(followers)
        self.n_max = max(n_max, drafter.n_max)
        self._own: dict[int, int] = {}

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """The drafter's drafts, the full-length chains extended up to n_max and the slot's limit."""
        drafts = self.drafter.propose(slots)
        self._own |= {slot.id: len(draft) for slot, draft in zip(slots, drafts, strict=True) if draft}
        return [self._longer(slot, draft) for slot, draft in zip(slots, drafts, strict=True)]

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """The drafter hears of the tokens it wrote itself."""
        self.drafter.accept(slot, min(n, self._own.get(slot.id, 0)) if mine else n, mine)

    def on_device(self, rows: int | None, context: int) -> None:
        """The followers read tokens on the host."""

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
