"""A drafter with a meter on it: the only place that counts what drafters do."""

from collections.abc import Sequence
from time import perf_counter

from .draft import Draft
from .drafter import Drafter, Slot
from .stats import Counters
from .wrapper import Wrapper


class Measured(Wrapper):
    """A drafter whose calls are counted and timed, and whose drafts are cut to the slot's limit.

    The cut is made here because the counters see what the target is offered (speculation spec 1.2). The limit counts
    nodes, so a tree is cut to its first nodes. Time in `observe` is not counted, as in llama.cpp.
    """

    def __init__(self, drafter: Drafter) -> None:
        super().__init__(drafter)
        self.counters = Counters(drafter.name, {"n_max": drafter.n_max}, needs_model=drafter.needs_model)
        if (knobs := drafter.params) is not None:
            self.counters.settings = knobs.shown()
            self.counters.length_flag = knobs.flag(knobs.length)
            self.counters.strictness_flag = knobs.flag(knobs.strictness) if knobs.strictness else ""

    def begin(self, slot: Slot) -> None:
        """Counted and timed."""
        start = perf_counter()
        self.drafter.begin(slot)
        self.counters.ms_begin += 1e3 * (perf_counter() - start)
        self.counters.calls_begin += 1

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """Counted once per call, however many slots; drafts are cut to their slot's limit, then counted."""
        start = perf_counter()
        drafts = self.drafter.propose(slots)
        self.counters.ms_draft += 1e3 * (perf_counter() - start)
        self.counters.calls_draft += 1
        assert len(drafts) == len(slots), f"{self.name} answered {len(drafts)} of {len(slots)} slots"
        offered = [_within(draft, slot.limit) for slot, draft in zip(slots, drafts, strict=True)]
        for draft in offered:
            if draft:
                self.counters.offered(len(draft), _levels(draft))
        return offered

    def drafted_on_device(self, slot: Slot, n: int, kept: int) -> None:
        """Counted; nobody knows how long it took."""
        if n:
            self.counters.calls_draft += 1
            self.counters.offered(n, n)
            self.counters.kept(kept)
        self.drafter.drafted_on_device(slot, n, kept)

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """Counted and timed if the draft was this drafter's."""
        if not mine:
            self.drafter.accept(slot, n, False)
            return
        self.counters.kept(n)
        start = perf_counter()
        self.drafter.accept(slot, n, True)
        self.counters.ms_accept += 1e3 * (perf_counter() - start)


def _within(draft: Draft, limit: int) -> Draft:
    return draft.cut(limit) if limit > 0 else draft


def _levels(draft: Draft) -> int:
    return len(draft) if draft.is_chain else max(draft.depths())
