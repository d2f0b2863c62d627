"""A drafter around a drafter: everything is passed on, and subclasses override what they change."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .draft import Draft
from .drafter import Drafter, Kept, Slot

if TYPE_CHECKING:
    from .on_device import DeviceDrafter


class Wrapper:
    """A drafter that answers as the one inside it does."""

    def __init__(self, drafter: Drafter) -> None:
        self.drafter = drafter
        self.name, self.order, self.needs_model = drafter.name, drafter.order, drafter.needs_model
        self.n_max, self.features, self.top = drafter.n_max, drafter.features, drafter.top
        self.params = drafter.params

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
        """Passed on."""
        return self.drafter.propose(slots)

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """Passed on."""
        self.drafter.accept(slot, n, mine)

    def save(self, slots: Sequence[Slot]) -> None:
        """Passed on."""
        self.drafter.save(slots)

    def on_device(self, rows: int | None, context: int) -> "DeviceDrafter | None":
        """Passed on."""
        return self.drafter.on_device(rows, context)

    def drafted_on_device(self, slot: Slot, n: int, kept: int) -> None:
        """Passed on."""
        self.drafter.drafted_on_device(slot, n, kept)
