"""Several drafters as one: they are asked in a fixed order, and the first draft is used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .draft import Draft
from .drafter import Drafter, Kept, Slot
from .measured import Measured
from .stats import Report, Request

if TYPE_CHECKING:
    from .on_device import DeviceDrafter


class FirstOf:
    """The drafters of an engine behind the interface of one (speculation spec 1.2).

    The order is the drafters' own, not that of the command line: those without a model come first. A drafter is asked
    for a slot only if every drafter before it had an empty draft for that slot. A short draft wins over a longer one
    further down; nothing is compared or joined. `accept` reaches the drafter whose draft it was; the others hear it
    with mine = False.
    """

    name = "first-of"
    order = 0
    params = None

    def __init__(self, drafters: Sequence[Drafter]) -> None:
        ordered = sorted(drafters, key=lambda drafter: drafter.order)
        self.drafters = tuple(Measured(drafter) for drafter in ordered)
        self.needs_model = any(drafter.needs_model for drafter in self.drafters)
        self._last: dict[int, Measured] = {}

    @property
    def n_max(self) -> int:
        """The longest draft of any drafter; 0 without drafters."""
        return max((drafter.n_max for drafter in self.drafters), default=0)

    @property
    def features(self) -> tuple[int, ...]:
        """Every target layer that some drafter wants to see, ascending."""
        return tuple(sorted({layer for drafter in self.drafters for layer in drafter.features}))

    @property
    def top(self) -> int:
        """The most of the target's best tokens that some drafter wants to see."""
        return max((drafter.top for drafter in self.drafters), default=0)

    def begin(self, slot: Slot) -> None:
        """Every drafter hears of the new prompt."""
        for drafter in self.drafters:
            drafter.begin(slot)

    def observe(self, slot: Slot, rows: Kept) -> None:
        """Every drafter hears of the rows that the target kept."""
        for drafter in self.drafters:
            drafter.observe(slot, rows)

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """The first non-empty draft per slot, at most slot.limit nodes (<= 0 = no limit)."""
        drafts = [Draft()] * len(slots)
        waiting = list(range(len(slots)))
        for drafter in self.drafters:
            if not waiting:
                break
            for i, draft in zip(waiting, drafter.propose([slots[i] for i in waiting]), strict=True):
                if draft:
                    drafts[i] = draft
                    self._last[slots[i].id] = drafter
            waiting = [i for i in waiting if not drafts[i]]
        return drafts

    def accept(self, slot: Slot, n: int, mine: bool = True) -> None:
        """n tokens of the slot's last non-empty draft survived; without such a draft nothing happens."""
        author = self._last.get(slot.id)
        if author is None:
            assert n == 0, f"{n} tokens accepted of a draft that nobody wrote"
            return
        for drafter in (author, *(other for other in self.drafters if other is not author)):
            drafter.accept(slot, n, mine and drafter is author)

    def forget(self, slot: Slot) -> None:
        """Earlier tokens of the slot changed without a `begin`: drafters drop what they derived from positions."""
        for drafter in self.drafters:
            drafter.forget(slot)

    def save(self, slots: Sequence[Slot] = ()) -> None:
        """Drafters write what shall outlive the run (ngram-cache: the file of -lcd).

        slots: sequences whose newest tokens no step has shown to them yet.
        """
        for drafter in self.drafters:
            drafter.save(slots)

    def on_device(self, rows: int | None, context: int) -> "DeviceDrafter | None":
        """An only drafter's; of several each must be asked."""
        return self.drafters[0].on_device(rows, context) if len(self.drafters) == 1 else None

    def drafted_on_device(self, slot: Slot, n: int, kept: int) -> None:
        """The only drafter hears of it."""
        self.drafters[0].drafted_on_device(slot, n, kept)

    def report(self, request: Request) -> Report:
        """The request's numbers and every drafter's, as they are now."""
        return Report.of(request, [drafter.counters for drafter in self.drafters], self.n_max)
