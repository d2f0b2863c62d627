"""What a native pass depends on, as pointers: rows, planes of the cache, rotations, results."""

from collections.abc import Mapping, Sequence
from ctypes import Array, addressof, byref

import numpy as np

from ...errors import LlamaspecError
from ..protocol import KV_BLOCK, Batch, Store
from . import structures as c
from .library import library
from .rotation import Rotation
from .threads import how_many

MANY = 64
"""Rows that most passes do not exceed."""


def as_index(x: object, n: int) -> np.ndarray:
    """x [n] as contiguous int64."""
    array = np.asarray(x)
    if array.shape != (n,):
        raise ValueError(f"{list(array.shape)} values for {n} rows")
    return np.ascontiguousarray(array, np.int64)


class PassCall:
    """The Pass of tape.h, with what its pointers point to. Made once and filled anew by each pass."""

    def __init__(self, threads: int | None) -> None:
        self.native = library()
        self.threads = threads
        self.info = c.Pass()
        self.kept: list[object] = []
        self.columns: tuple[np.ndarray, ...] = ()
        self.feature_addresses: list[int] | None = None

    def rows(self, batch: Batch) -> None:
        """Tokens or hidden rows, where they go, and what they attend to."""
        n, info, index = len(batch.cells), self.info, batch.index
        if not self.columns or n > len(self.columns[0]):
            self._widen(n)
        columns = (batch.tokens, batch.cells, index.positions, index.slots, index.lengths)
        for to, column in zip(self.columns, columns, strict=True):
            if column.shape != (n,):
                raise ValueError(f"{list(column.shape)} values for {n} rows")
            to[:n] = column
        hidden = None if batch.hidden is None else np.ascontiguousarray(np.asarray(batch.hidden), np.float32)
        wanted = None if batch.wanted is None else as_index(batch.wanted, len(batch.wanted))
        paths = None if index.paths is None else np.ascontiguousarray(np.asarray(index.paths), np.int64)
        if paths is not None and (paths.ndim != 2 or paths.shape[0] != n or not paths.shape[1]):
            raise ValueError(f"paths {list(paths.shape)} for {n} rows")
        info.hidden, info.wanted, info.paths = address(hidden), address(wanted), address(paths)
        info.rows, info.wanted_rows = n, n if wanted is None else len(wanted)
        info.path_width = 0 if paths is None else paths.shape[1]
        self.kept = [hidden, wanted, paths]

    def _widen(self, rows: int) -> None:
        """Room for columns of so many rows, which is kept: asking an array for its address takes longer than a copy."""
        self.columns = tuple(np.empty((5, max(rows, MANY)), np.int64))
        info = self.info
        info.tokens, info.cells, info.positions, info.slots, info.lengths = (part.ctypes.data for part in self.columns)

    def planes(self, stores: Sequence[Store], numbers: Mapping[tuple[int, int], int]) -> None:
        """Planes of the cache. numbers: (store, plane) -> number."""
        self.plane_array = (c.Plane * max(1, len(numbers)))()
        for (store, plane), number in numbers.items():
            at = stores[store].planes[plane]
            slots, heads, cells, _ = at.data.shape
            steps = at.data.strides
            if steps[3] != 1:
                raise ValueError("the rows of a plane are bytes one behind the other")
            ring = at.ring
            self.plane_array[number] = c.Plane(
                at.data.ctypes.data, slots, heads, cells, *steps[:3], ring, at.type.number
            )
        self.info.planes, self.info.n_planes = pointer(self.plane_array), len(numbers)

    def ropes(self, rotations: Sequence[Rotation], blocks: int) -> None:
        """Tables that reach as far as the pass."""
        self.rope_array = (c.RopeTable * max(1, len(rotations)))(*(r.table(blocks * KV_BLOCK) for r in rotations))
        self.info.ropes, self.info.n_ropes = pointer(self.rope_array), len(rotations)

    def results(self, logits: np.ndarray | None, features: Sequence[np.ndarray | None]) -> None:
        """Where logits and features go."""
        self.info.logits = address(logits)
        addresses = [0 if part is None else part.ctypes.data for part in features]
        if addresses != self.feature_addresses:
            self.feature_addresses, self.feature_array = addresses, np.array(addresses, np.uintp)
            self.info.features, self.info.n_features = self.feature_array.ctypes.data, len(features)

    def run(self, ops: object, n: int) -> None:
        """n operations. Raises IndexError for rows outside the cache, LlamaspecError when memory runs out."""
        self.info.threads = how_many(self.threads)
        result = self.native.run(ops, n, byref(self.info))
        if result == c.PassResult.OUT_OF_RANGE:
            raise IndexError("tokens outside the vocabulary, or slots, cells or positions outside the cache")
        if result:
            raise LlamaspecError(
                f"out of memory while evaluating {self.info.rows} rows", hint="use a smaller --ubatch-size"
            )


def address(array: np.ndarray | None) -> int | None:
    """Where its numbers lie; None: nowhere."""
    return None if array is None else array.ctypes.data


def pointer(array: Array) -> int:
    """Where an array of structures lies."""
    return addressof(array)
