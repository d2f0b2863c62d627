"""What the target remembers: one store per layer, provisional until it is committed."""

from collections.abc import Sequence

from ..kernels.protocol import Store
from .stores import cells_for


class Cache:
    """`slots` sequences of at most `context` tokens.

    The rows of a forward pass are written behind the committed cells: row i of a slot's pass lands in cell
    length + i. They are provisional: the next pass overwrites them unless `commit` keeps them.
    """

    def __init__(self, stores: Sequence[Store], slots: int, context: int) -> None:
        self.stores = tuple(stores)
        self.context = context
        self.lengths = [0] * slots
        self.draft_rows = min((store.draft_rows for store in stores), default=context)
        """Most rows of one branch, its first one included, and of a prompt chunk."""

    @property
    def cells(self) -> int:
        """Cells per slot of a store of all positions: a multiple of the KV block."""
        return cells_for(self.context)

    @property
    def bytes(self) -> int:
        """Memory when full."""
        return sum(store.bytes for store in self.stores)

    def commit(self, slot: int, path: Sequence[int]) -> None:
        """Keep these rows of the slot's last pass, in order: path is increasing, row 0 is the pass's first."""
        length = self.lengths[slot]
        for store in self.stores:
            store.commit(slot, length, path)
        self.lengths[slot] = length + len(path)

    def truncate(self, slot: int, length: int) -> int:
        """Forget all but the first `length` tokens -> how many are left, perhaps fewer."""
        length, asked = min(length, self.lengths[slot]), -1
        while length != asked:
            asked = length
            for store in self.stores:
                length = min(length, store.truncate(slot, length))
        self.lengths[slot] = length
        return length

    def copy(self, source: int, target: int, length: int) -> int:
        """The first `length` tokens of one slot to another -> how many that slot knows then."""
        self.lengths[target] = min(length, self.lengths[source])
        known = min(
            (store.copy(source, target, self.lengths[target]) for store in self.stores), default=self.lengths[target]
        )
        return self.truncate(target, known)
