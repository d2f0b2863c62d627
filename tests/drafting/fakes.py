"""Drafters that say what they are told to, and remember what they hear."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Kept, Slot


@dataclass
class Scripted:
    """answers: slot id -> draft, the same every time."""

    name: str
    answers: dict[int, Draft] = field(default_factory=dict)
    n_max: int = 4
    features: Sequence[int] = ()
    top: int = 0
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
