"""The arrays of a cache: rows of bytes by slot, head and cell, on any back end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .kv_types import KVType


@dataclass(frozen=True)
class Plane:
    """data [S, heads, cells, row bytes] uint8, a torch tensor or a numpy array; rows are of `type`.

    ring: a cell's place is its number modulo so many, and one place more stands behind the ring for padding rows; 0: a
    cell's place is its number.
    """

    data: Any
    type: KVType
    ring: int = 0

    @property
    def bytes(self) -> int:
        """Of the whole array."""
        return int(np.prod(self.data.shape))

    def move(self, slot: int, source: Sequence[int], target: int) -> None:
        """The rows of cells `source` to the cells from `target` on."""
        rows = self.data[slot]
        rows[:, self._places(range(target, target + len(source)))] = rows[:, self._places(source)]

    def copy(self, source: int, target: int, first: int, end: int) -> None:
        """Cells [first, end) of one slot to another."""
        places = self._places(range(first, end))
        self.data[target][:, places] = self.data[source][:, places]

    def read(self, slot: int, first: int, end: int) -> np.ndarray:
        """Cells [first, end) of a slot as bytes [heads, cells, row]."""
        rows = self.data[slot][:, self._places(range(first, end))]
        return rows.copy() if isinstance(rows, np.ndarray) else rows.cpu().numpy().copy()

    def write(self, slot: int, first: int, rows: np.ndarray) -> None:
        """What `read` gave. Raises ValueError for other sizes."""
        places = self._places(range(first, first + rows.shape[1]))
        to = self.data[slot]
        if rows.shape != (to.shape[0], len(places), to.shape[2]) or rows.dtype != np.uint8:
            raise ValueError(f"rows {rows.shape} for a plane {tuple(self.data.shape)}")
        to[:, places] = rows if isinstance(to, np.ndarray) else to.new_tensor(rows)

    def _places(self, cells: Sequence[int]) -> list[int]:
        return [cell % self.ring for cell in cells] if self.ring else list(cells)
