"""Drafters that say what they are told to, and remember what they hear."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from llamaspec.drafting.build import kind_of
from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Base, Kept, Slot
from llamaspec.drafting.measured import Measured
from llamaspec.drafting.stats import Counters


@dataclass
class Scripted(Base):
    """answers: slot id -> draft, the same every time."""

    name: str
    answers: dict[int, Draft] = field(default_factory=dict)
    n_max: int = 4
    features: Sequence[int] = ()
    top: int = 0
    order: int = 1000
    needs_model: bool = False
    params: Any = None
    heard: list[tuple] = field(default_factory=list)

    def begin(self, slot: Slot) -> None:
        self.heard.append(("begin", slot.id))

    def forget(self, slot: Slot) -> None:
        self.heard.append(("forget", slot.id))

    def observe(self, slot: Slot, rows: Kept) -> None:
        self.heard.append(("observe", slot.id, tuple(rows.tokens)))

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        self.heard.append(("propose", tuple(slot.id for slot in slots)))
        return [self.answers.get(slot.id, Draft()) for slot in slots]

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        self.heard.append(("accept", slot.id, n, mine))

    def on_device(self, rows: int | None, context: int) -> None:
        self.heard.append(("on_device", rows, context))

    def drafted_on_device(self, slot: Slot, n: int, kept: int) -> None:
        self.heard.append(("drafted_on_device", slot.id, n, kept))

    def save(self, slots: Sequence[Slot]) -> None:
        self.heard.append(("save", tuple(slot.id for slot in slots)))


def measured(name: str, drafted: int, accepted: int) -> Counters:
    """The counters of a drafter of the shelf, with numbers that it might have come to."""
    kind = kind_of(name)
    counters = Measured(Scripted(name, needs_model=kind.drafter.needs_model, params=kind.params())).counters
    counters.gen_tokens = counters.gen_levels = drafted
    counters.acc_tokens = accepted
    return counters
