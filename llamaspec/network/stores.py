"""What a layer remembers: keys and values, of all positions or of a window, and the states of recurrent layers."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from ..kernels.kv_types import F32, KVType
from ..kernels.planes import Plane
from ..kernels.protocol import KV_BLOCK, Kernels, Store
from ..kernels.records import Delta
from .hparams import Attention, Both, DeltaNet, Heads, Latent, Mamba, ShortConv

STATE_CELLS = 256
"""Cells of inputs that a recurrent layer keeps beside its states, for an estimate of its memory."""
WINDOW_ROWS = 256
"""Rows of a branch or a prompt chunk that a window's ring can take back."""


def cells_for(context: int) -> int:
    """Cells per slot for so many tokens: whole KV blocks, and one to spare for the overhang of a draft and padding."""
    return ceil(context / KV_BLOCK) * KV_BLOCK + KV_BLOCK


def ring_for(window: int, context: int) -> int:
    """Cells of a window's ring: whole KV blocks; 0 where all positions take no more."""
    ring = ceil((window + 2 * WINDOW_ROWS) / KV_BLOCK) * KV_BLOCK
    return ring if ring + KV_BLOCK < cells_for(context) else 0


def ring_of_inputs(kernel: int) -> int:
    """Cells of the ring that a convolution's inputs are kept in."""
    return kernel - 1 + 2 * WINDOW_ROWS


class Dense:
    """All positions: a row's cell is its position. rows: (heads, values per head, type) of each plane."""

    def __init__(self, kernels: Kernels, slots: int, context: int, rows: Sequence[tuple[int, int, KVType]]) -> None:
        self.draft_rows = context
        self.planes = tuple(
            Plane(kernels.zeros((slots, heads, cells_for(context), kind.row_bytes(values))), kind)
            for heads, values, kind in rows
        )

    @property
    def bytes(self) -> int:
        """Of all planes."""
        return sum(plane.bytes for plane in self.planes)

    def commit(self, slot: int, length: int, path: Sequence[int]) -> None:
        """Rows that are not where they belong are moved there."""
        if list(path) != list(range(len(path))):
            for plane in self.planes:
                plane.move(slot, [length + row for row in path], length)

    def truncate(self, slot: int, length: int) -> int:
        """Any length is fine."""
        return length

    def copy(self, source: int, target: int, length: int) -> int:
        """Cell by cell."""
        for plane in self.planes:
            plane.copy(source, target, 0, length)
        return length

    def save(self, slot: int, length: int) -> list[np.ndarray]:
        """The committed cells of every plane."""
        return [plane.read(slot, 0, length) for plane in self.planes]

    def load(self, slot: int, length: int, parts: Sequence[np.ndarray]) -> None:
        """What `save` gave."""
        for plane, part in zip(self.planes, parts, strict=True):
            if part.shape[1] != length:
                raise ValueError(f"{part.shape[1]} cells, not {length}")
            plane.write(slot, 0, part)


class Window:
    """The last `window` positions: cells are numbered modulo a ring, which has room to take rejected rows back.

    Rows overwrite what lies one ring behind them. A sequence can go back as far as its window is still whole.
    """

    def __init__(
        self,
        kernels: Kernels,
        slots: int,
        window: int,
        rows: Sequence[tuple[int, int, KVType]],
        ring: int,
        draft_rows: int = WINDOW_ROWS,
    ) -> None:
        self.window, self.ring, self.draft_rows = window, ring, draft_rows
        self.planes = tuple(
            Plane(kernels.zeros((slots, heads, ring + 1, kind.row_bytes(values))), kind, ring)
            for heads, values, kind in rows
        )
        self.lost = [0] * slots
        """Positions below have been overwritten, or may have been."""

    @property
    def bytes(self) -> int:
        """Of all planes."""
        return sum(plane.bytes for plane in self.planes)

    def commit(self, slot: int, length: int, path: Sequence[int]) -> None:
        """Rows that are not where they belong are moved there; the pass may have written `draft_rows` cells."""
        self.lost[slot] = max(self.lost[slot], length + self.draft_rows - self.ring)
        if list(path) != list(range(len(path))):
            for plane in self.planes:
                plane.move(slot, [length + row for row in path], length)

    def truncate(self, slot: int, length: int) -> int:
        """0 where the window behind `length` is no longer whole."""
        if max(0, length - self.window + 1) < self.lost[slot]:
            length = 0
        if length == 0:
            self.lost[slot] = 0
        return length

    def copy(self, source: int, target: int, length: int) -> int:
        """The window behind `length`, if it is whole."""
        self.lost[target] = self.lost[source]
        if not (length := self.truncate(target, length)):
            return 0
        first = max(0, length - self.window, self.lost[source])
        for plane in self.planes:
            plane.copy(source, target, first, length)
        self.lost[target] = first
        return length

    def save(self, slot: int, length: int) -> list[np.ndarray]:
        """The window behind the committed tokens."""
        first = max(0, length - self.window)
        return [plane.read(slot, first, length) for plane in self.planes]

    def load(self, slot: int, length: int, parts: Sequence[np.ndarray]) -> None:
        """What `save` gave."""
        self.lost[slot] = first = max(0, length - self.window)
        for plane, part in zip(self.planes, parts, strict=True):
            if part.shape[1] != length - first:
                raise ValueError(f"a window of {part.shape[1]} cells, not {length - first}")
            plane.write(slot, first, part)


class Recurrent:
    """A convolution's last inputs and the states of a recurrence."""

    def __init__(self, kernels: Kernels, slots: int, channels: int, kernel: int, states: Store) -> None:
        self.states = states
        self.draft_rows = states.draft_rows
        ring = kernel - 1 + 2 * self.draft_rows
        self.inputs = Window(kernels, slots, kernel, [(1, channels, F32)], ring, self.draft_rows)
        self.planes = (*self.inputs.planes, *states.planes)

    @property
    def bytes(self) -> int:
        """Of inputs and states."""
        return self.inputs.bytes + self.states.bytes

    def commit(self, slot: int, length: int, path: Sequence[int]) -> None:
        """Both keep the path."""
        self.inputs.commit(slot, length, path)
        self.states.commit(slot, length, path)

    def truncate(self, slot: int, length: int) -> int:
        """As far as both can go."""
        return self.inputs.truncate(slot, self.states.truncate(slot, length))

    def copy(self, source: int, target: int, length: int) -> int:
        """As far as both can go."""
        return self.inputs.copy(source, target, self.states.copy(source, target, length))

    def save(self, slot: int, length: int) -> list[np.ndarray]:
        """Inputs, then states."""
        return [*self.inputs.save(slot, length), *self.states.save(slot, length)]

    def load(self, slot: int, length: int, parts: Sequence[np.ndarray]) -> None:
        """What `save` gave."""
        self.inputs.load(slot, length, parts[:1])
        self.states.load(slot, length, parts[1:])


class Nothing:
    """Of layers that remember nothing of their own."""

    planes: tuple[Plane, ...] = ()
    bytes = 0

    def __init__(self, context: int) -> None:
        self.draft_rows = context

    def commit(self, slot: int, length: int, path: Sequence[int]) -> None:
        """There is nothing to keep."""

    def truncate(self, slot: int, length: int) -> int:
        """Any length is fine."""
        return length

    def copy(self, source: int, target: int, length: int) -> int:
        """There is nothing to copy."""
        return length

    def save(self, slot: int, length: int) -> list[np.ndarray]:
        """No parts."""
        return []

    def load(self, slot: int, length: int, parts: Sequence[np.ndarray]) -> None:
        """What `save` gave."""
        if parts:
            raise ValueError(f"{len(parts)} parts of a layer that remembers nothing")


def store_for(attention: Attention, kernels: Kernels, slots: int, context: int, types: tuple[KVType, KVType]) -> Store:
    """The memory of one layer. types: of keys and values. Raises LlamaspecError for heads that a type cannot hold.

    Where a layer has two parts, that of the states is another store, behind those of all layers.
    """
    if isinstance(attention, Both):
        attention = attention.heads
    if isinstance(attention, DeltaNet | Mamba):
        states = kernels.recurrence(slots, delta_of(attention))
        return Recurrent(kernels, slots, attention.channels, attention.kernel, states)
    if isinstance(attention, ShortConv):
        ring, inputs = ring_of_inputs(attention.kernel), [(1, attention.channels, F32)]
        return Window(kernels, slots, attention.kernel, inputs, ring)
    if attention is None or (isinstance(attention, Heads) and attention.source is not None):
        return Nothing(context)
    rows, window = _rows(attention, types), attention.window if isinstance(attention, Heads) else 0
    if window and (ring := ring_for(window, context)):
        return Window(kernels, slots, window, rows, ring)
    return Dense(kernels, slots, context, rows)


def store_bytes(attention: Attention, slots: int, context: int, types: tuple[KVType, KVType]) -> int:
    """What that memory takes, without making it."""
    if isinstance(attention, Both):
        return sum(store_bytes(part, slots, context, types) for part in (attention.heads, attention.mamba))
    if isinstance(attention, DeltaNet | Mamba):
        how = delta_of(attention)
        per_cell = F32.row_bytes(2 * attention.channels + how.heads + how.decays)
        return slots * (2 * how.heads * F32.row_bytes(how.size * how.value) + STATE_CELLS * per_cell)
    if isinstance(attention, ShortConv):
        return slots * (ring_of_inputs(attention.kernel) + 1) * F32.row_bytes(attention.channels)
    if attention is None or (isinstance(attention, Heads) and attention.source is not None):
        return 0
    window = attention.window if isinstance(attention, Heads) else 0
    cells = (window and ring_for(window, context)) or cells_for(context)
    return slots * cells * sum(heads * kind.row_bytes(values) for heads, values, kind in _rows(attention, types))


def delta_of(attention: DeltaNet | Mamba) -> Delta:
    """The record in the kernels' words."""
    size = attention.size
    if isinstance(attention, Mamba):
        width = attention.inner // attention.heads
        return Delta(attention.heads, attention.groups, size, width, False, 1.0, corrected=False)
    own = attention.by_channel
    return Delta(attention.heads, attention.key_heads, size, size, attention.tiled, size**-0.5, by_channel=own)


def _rows(attention: Heads | Latent, types: tuple[KVType, KVType]) -> list[tuple[int, int, KVType]]:
    if isinstance(attention, Latent):
        latent, own = [(1, attention.c + attention.rope.width, types[0])], attention.indexer
        return latent if own is None or own.source is not None else [*latent, (1, own.size, F32)]
    return [(attention.kv_heads, attention.key, types[0]), (attention.kv_heads, attention.value, types[1])]
