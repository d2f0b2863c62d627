"""A drafter with a meter on it: the only place that counts what drafters do."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from time import perf_counter
from typing import Any

from .draft import Draft
from .drafter import Drafter, Kept, Slot
from .stats import Counters


class Measured:
    """A drafter whose calls are counted and timed, and whose drafts are cut to the slot's limit.

    The cut is made here because the counters see what the target is offered (speculation spec 1.2). The limit counts
    nodes, so a tree is cut to its first nodes. Time in `observe` is not counted, as in llama.cpp.
    """

    def __init__(self, drafter: Drafter) -> None:
        self.drafter = drafter
        self.name = drafter.name
        self.counters = Counters(drafter.name, settings(drafter))

    @property
    def n_max(self) -> int:
        """The drafter's own."""
        return self.drafter.n_max

    @property
    def features(self) -> Sequence[int]:
        """The drafter's own."""
        return self.drafter.features

    @property
    def top(self) -> int:
        """The drafter's own."""
        return self.drafter.top

    def begin(self, slot: Slot) -> None:
        """Counted and timed."""
        start = perf_counter()
        self.drafter.begin(slot)
        self.counters.ms_begin += 1e3 * (perf_counter() - start)
        self.counters.calls_begin += 1

    def forget(self, slot: Slot) -> None:
        """Passed on."""
        self.drafter.forget(slot)

    def observe(self, slot: Slot, rows: Kept) -> None:
        """Passed on."""
        self.drafter.observe(slot, rows)

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """Counted once per call, however many slots; drafts are cut to their slot's limit, then counted."""
        start = perf_counter()
        drafts = self.drafter.propose(slots)
        self.counters.ms_draft += 1e3 * (perf_counter() - start)
        self.counters.calls_draft += 1
        assert len(drafts) == len(slots), f"{self.name} answered {len(drafts)} of {len(slots)} slots"
        offered = [_within(draft, slot.limit) for slot, draft in zip(slots, drafts, strict=True)]
        self.counters.gen_drafts += sum(1 for draft in offered if draft)
        self.counters.gen_tokens += sum(len(draft) for draft in offered)
        self.counters.gen_levels += sum(_levels(draft) for draft in offered)
        return offered

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


def settings(drafter: Drafter) -> dict[str, Any]:
    """The knobs in force: the fields of the drafter's `params`, if it has any, else its longest draft."""
    params = getattr(drafter, "params", None)
    if params is None or not is_dataclass(params):
        return {"n_max": drafter.n_max}
    return {knob.name: getattr(params, knob.name) for knob in fields(params) if knob.repr}
