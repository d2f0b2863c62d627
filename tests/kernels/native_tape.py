"""Passes of a few operations over numpy arrays, for the tests of the tape."""

from collections.abc import Sequence
from ctypes import Structure, addressof, byref
from dataclasses import dataclass, field

import numpy as np

from llamaspec.kernels.native import structures as c
from llamaspec.kernels.native.library import library

KV_F32, KV_F16, KV_Q8_0, KV_BF16 = range(4)
"""KVType of table.h."""


def view(x: np.ndarray | None) -> c.Rows:
    """x [n, width] as rows at an address; None: none. Columns of a larger array keep its steps."""
    if x is None:
        return c.Rows()
    assert x.dtype.itemsize == 4
    assert x.shape[1] == 1 or x.strides[1] == 4
    return c.Rows(x.ctypes.data, 0, 0, x.strides[0] // 4, x.shape[1])


def spread(x: np.ndarray, gap: int = 3) -> np.ndarray:
    """The same rows with NaNs between them."""
    room = np.full((x.shape[0], x.shape[1] + gap), np.nan, np.float32)
    room[:, : x.shape[1]] = x
    return room[:, : x.shape[1]]


def room(n: int, width: int, gap: int = 5) -> np.ndarray:
    """Rows to be written, with steps larger than their width."""
    return spread(np.full((n, width), np.nan, np.float32), gap)


def plane(data: np.ndarray, kind: int, ring: int = 0) -> c.Plane:
    """data [slots, heads, cells, row] of any element."""
    return c.Plane(data.ctypes.data, *data.shape[:3], *data.strides[:3], ring, kind)


@dataclass
class Index:
    """Rows of a pass: positions of one slot after `length` committed tokens, unless more is said."""

    positions: np.ndarray
    lengths: np.ndarray
    slots: np.ndarray
    cells: np.ndarray
    paths: np.ndarray | None = None

    def take(self, rows: Sequence[int] | slice) -> "Index":
        """Some of the rows."""
        paths = None if self.paths is None else self.paths[rows]
        return Index(self.positions[rows], self.lengths[rows], self.slots[rows], self.cells[rows], paths)


def chain(length: int, n: int, slot: int = 0) -> Index:
    """n rows behind `length` tokens."""
    positions = np.arange(length, length + n)
    return Index(positions, np.full(n, length), np.full(n, slot), positions.copy())


def tree(length: int, parents: Sequence[int], slot: int = 0) -> Index:
    """Rows whose parent is another row, or -1: the last committed token. Row i is in cell length + i."""
    n, depth = len(parents), []
    paths = np.zeros((n, n), np.int64)
    for row, parent in enumerate(parents):
        depth.append(0 if parent < 0 else depth[parent] + 1)
        if parent >= 0:
            paths[row] = paths[parent]
        paths[row, depth[row]] = length + row
    cells = np.arange(length, length + n)
    return Index(length + np.array(depth), np.full(n, length), np.full(n, slot), cells, paths)


def together(*parts: Index) -> Index:
    """The rows of several sequences in one pass."""
    trees = any(part.paths is not None for part in parts)
    width = max(1 + int((part.positions - part.lengths).max()) for part in parts) if trees else 0

    def path(part: Index) -> np.ndarray:
        if part.paths is None:
            return part.lengths[:, None] + np.arange(width)
        return np.pad(part.paths, ((0, 0), (0, max(0, width - part.paths.shape[1]))))[:, :width]

    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in ("positions", "lengths", "slots")]
    cells = np.concatenate([part.cells for part in parts])
    return Index(*columns, cells, np.concatenate([path(part) for part in parts]) if width else None)


@dataclass
class Call:
    """One run of a tape; what is given here is what its operations may refer to."""

    rows: int
    index: Index | None = None
    planes: Sequence[c.Plane] = ()
    ropes: Sequence[c.RopeTable] = ()
    wanted: np.ndarray | None = None
    tokens: np.ndarray | None = None
    hidden: np.ndarray | None = None
    logits: np.ndarray | None = None
    features: Sequence[np.ndarray | None] = ()
    arena: np.ndarray | None = None
    threads: int = 1
    kept: list[object] = field(default_factory=list)

    def run(self, *ops: tuple[c.OpKind, Structure] | tuple[c.OpKind, Structure, bool]) -> c.PassResult:
        """All in one call."""
        array = (c.Op * len(ops))(*(c.Op(kind, any(wanted), addressof(what)) for kind, what, *wanted in ops))
        info = self.info()
        return c.PassResult(library().run(array, len(ops), byref(info)))

    def info(self) -> c.Pass:
        """The structure of the pass."""
        info = c.Pass(rows=self.rows, wanted_rows=self.rows, threads=self.threads)
        arrays = {name: getattr(self, name) for name in ("wanted", "tokens", "hidden", "logits", "arena")}
        if self.index is not None:
            arrays |= {name: getattr(self.index, name) for name in ("positions", "lengths", "slots", "cells", "paths")}
        for name, array in arrays.items():
            if array is not None:
                array = np.ascontiguousarray(array) if name not in ("logits", "arena") else array
                self.kept.append(array)
                setattr(info, name, array.ctypes.data)
        if self.wanted is not None:
            info.wanted_rows = len(self.wanted)
        if self.index is not None and self.index.paths is not None:
            info.path_width = self.index.paths.shape[1]
        for name, kind, items in (("planes", c.Plane, self.planes), ("ropes", c.RopeTable, self.ropes)):
            array = (kind * max(1, len(items)))(*items)
            self.kept.append(array)
            setattr(info, name, addressof(array))
            setattr(info, f"n_{name}", len(items))
        pointers = np.array([0 if x is None else x.ctypes.data for x in self.features] or [0], np.uintp)
        self.kept.append(pointers)
        info.features, info.n_features = pointers.ctypes.data, len(self.features)
        return info


def address(array: np.ndarray | None) -> int | None:
    """Of the first element."""
    return None if array is None else array.ctypes.data
