"""The states of a gated delta rule on the reference back end: one per row of a branch, and the committed one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..checkpoints import Checkpoints
from ..kv_types import F32
from ..planes import Plane
from ..records import Delta
from .recurrence import ROWS, SPARE

if TYPE_CHECKING:
    from .kernels import Reference


class RowStates:
    """Place 0 of a slot is the state behind its committed tokens, place 1 + i that behind row i of its last pass."""

    draft_rows = ROWS

    def __init__(self, kernels: "Reference", slots: int, how: Delta) -> None:
        data = kernels.zeros((slots, how.heads, SPARE + 1, F32.row_bytes(how.size * how.value)))
        self.planes = (Plane(data, F32),)
        self.lengths = [0] * slots
        self.before: list[tuple[int, torch.Tensor | None]] = [(0, None)] * slots
        """What the state was before the last commit, and of how many tokens."""
        self.checkpoints = Checkpoints()

    @property
    def bytes(self) -> int:
        """Of all states."""
        return self.planes[0].bytes

    def commit(self, slot: int, length: int, path: Sequence[int]) -> None:
        """The state behind the path's last row is the slot's."""
        if not path:
            return
        states = self.planes[0].data[slot]
        self.before[slot] = (length, states[:, 0].clone())
        states[:, 0] = states[:, path[-1] + 1]
        self.lengths[slot] = length + len(path)
        self.checkpoints.offer(slot, self.lengths[slot], lambda: states[:, 0].clone())

    def truncate(self, slot: int, length: int) -> int:
        """Back to before the last commit, or to a checkpoint."""
        if length >= self.lengths[slot]:
            return self.lengths[slot]
        at, state = self.before[slot]
        if state is None or at > length:
            at, state = self.checkpoints.latest(slot, length)
        self._set(slot, at, state)
        return at

    def copy(self, source: int, target: int, length: int) -> int:
        """Only a state of at most so many tokens can be handed over."""
        self.lengths[target], self.before[target] = self.lengths[source], self.before[source]
        self.planes[0].data[target] = self.planes[0].data[source]
        self.checkpoints.copy(source, target)
        return self.truncate(target, length)

    def save(self, slot: int, length: int) -> list[np.ndarray]:
        """The state behind the committed tokens."""
        if length != self.lengths[slot]:
            raise ValueError(f"{length} of {self.lengths[slot]} tokens: only the whole state can be saved")
        return [self.planes[0].read(slot, 0, 1)]

    def load(self, slot: int, length: int, parts: Sequence[np.ndarray]) -> None:
        """What `save` gave."""
        self._set(slot, length, None)
        self.planes[0].write(slot, 0, parts[0])

    def _set(self, slot: int, length: int, state: torch.Tensor | None) -> None:
        self.planes[0].data[slot][:, 0] = 0 if state is None else state
        self.lengths[slot], self.before[slot] = length, (0, None)
        self.checkpoints.latest(slot, length)
