"""The states of a gated delta rule on the native back end: a base state, and the inputs of the cells behind it."""

from collections.abc import Sequence

import numpy as np

from ..checkpoints import Checkpoints
from ..kv_types import F32
from ..planes import Plane
from ..records import Delta

ROWS = 128
"""Most rows of a branch or a prompt chunk; the ring of inputs holds as many again that are committed."""
BASE, AHEAD, HALF = range(3)
"""Of a slot's marks: tokens behind the base state, tokens behind the state ahead (-1: none), which half is the base."""


class InputStates:
    """Planes as OP_DELTA in tape.h wants them: inputs by cell, two states per head, marks.

    A pass reads the base state and leaves it alone, but first moves it to the committed length: so it is never younger
    than the last commit, and rejected rows, trees and small steps back cost nothing.
    """

    draft_rows = ROWS

    def __init__(self, slots: int, how: Delta) -> None:
        width = how.key_heads * how.size + how.heads * how.value + how.heads + how.decays
        inputs = np.zeros((slots, 1, 2 * ROWS, F32.row_bytes(width)), np.uint8)
        self.states = np.zeros((slots, 2 * how.heads, how.size * how.value), np.float32)
        self.marks = np.zeros((slots, 3), np.int64)
        self.marks[:, AHEAD] = -1
        self.inputs = Plane(inputs, F32, 2 * ROWS)
        states = self.states.view(np.uint8).reshape(slots, 2 * how.heads, 1, -1)
        marks = self.marks.view(np.uint8).reshape(slots, 1, 1, -1)
        self.planes = (self.inputs, Plane(states, F32), Plane(marks, F32))
        self.heads = how.heads
        self.checkpoints = Checkpoints()

    @property
    def bytes(self) -> int:
        """Of inputs and states."""
        return sum(plane.bytes for plane in self.planes)

    def commit(self, slot: int, length: int, path: Sequence[int]) -> None:
        """The inputs of the path are moved to where they belong; the base state waits for the next pass."""
        if list(path) != list(range(len(path))):
            self.inputs.move(slot, [length + row for row in path], length)
            self.marks[slot, AHEAD] = -1
        self.checkpoints.offer(slot, int(self.marks[slot, BASE]), lambda: self._base(slot).copy())

    def truncate(self, slot: int, length: int) -> int:
        """Anything from the base state on, else a checkpoint."""
        if length >= self.marks[slot, BASE]:
            if length < self.marks[slot, AHEAD]:
                self.marks[slot, AHEAD] = -1
            return length
        at, state = self.checkpoints.latest(slot, length)
        self._set(slot, at, state)
        return at

    def copy(self, source: int, target: int, length: int) -> int:
        """Base state and inputs, then back to so many tokens."""
        for plane in self.planes:
            plane.data[target] = plane.data[source]
        self.checkpoints.copy(source, target)
        return self.truncate(target, length)

    def save(self, slot: int, length: int) -> list[np.ndarray]:
        """The base state, its length, and the inputs from there on."""
        base = int(self.marks[slot, BASE])
        state = self._base(slot).copy().view(np.uint8)
        return [np.frombuffer(base.to_bytes(8, "little"), np.uint8), state, self.inputs.read(slot, base, length)]

    def load(self, slot: int, length: int, parts: Sequence[np.ndarray]) -> None:
        """What `save` gave."""
        base = int.from_bytes(parts[0].tobytes(), "little")
        if not 0 <= base <= length or length - base > 2 * ROWS:
            raise ValueError(f"a state of {base} tokens for {length}")
        self._set(slot, base, parts[1].view(np.float32))
        self.inputs.write(slot, base, parts[2])

    def _base(self, slot: int) -> np.ndarray:
        """[heads, size * size]: a view."""
        first = int(self.marks[slot, HALF]) * self.heads
        return self.states[slot, first : first + self.heads]

    def _set(self, slot: int, length: int, state: np.ndarray | None) -> None:
        self.marks[slot] = (length, -1, 0)
        self._base(slot)[:] = 0 if state is None else state
