"""The native operations one by one, each on arrays of its own: what a tape is compared with."""

from collections.abc import Sequence
from ctypes import Structure, addressof

import numpy as np

from ..protocol import Batch, Output, Store
from . import structures as c
from .call import PassCall
from .operations import NativeOperations, Value


class EagerOperations(NativeOperations):
    """Values are arrays [N, width]."""

    def __init__(self, batch: Batch, stores: Sequence[Store], features: Sequence[int], threads: int | None) -> None:
        super().__init__()
        self.call = PassCall(threads)
        self.call.rows(batch)
        self.stores, self.blocks = stores, batch.index.blocks
        self.asked = list(dict.fromkeys(features))
        self.features: list[np.ndarray | None] = [None] * len(self.asked)
        self.logits = np.empty((0, 0), np.float32)

    def output(self) -> Output:
        """Logits and features of the pass."""
        return Output(self.logits, dict(zip(self.asked, self.features, strict=True)))

    def result(self, width: int) -> Value:
        """An array like the others."""
        value = self.new(width, True)
        self.logits = value.base
        return value

    def new(self, width: int, wanted: bool) -> Value:
        """An array."""
        info = self.call.info
        return Value(np.empty((info.wanted_rows if wanted else info.rows, width), np.float32), width, width, 0, wanted)

    def rows(self, value: Value | None) -> c.Rows:
        """Where its array lies."""
        if value is None:
            return c.Rows()
        self.kept.append(value.base)
        return c.Rows(value.base.ctypes.data + 4 * value.column, 0, 0, value.step, value.width)

    def emit(self, kind: c.OpKind, arguments: Structure, wanted: bool) -> None:
        """Run at once."""
        self.call.planes(self.stores, self.planes)
        self.call.ropes(self.rotations, self.blocks)
        self.call.results(None, self.features)
        op = c.Op(kind, wanted, addressof(arguments))
        self.call.run(addressof(op), 1)
        self.kept.clear()

    def feature(self, number: int) -> int:
        """Its place among those asked for."""
        return self.asked.index(number) if number in self.asked else -1

    def mark(self, feature: int, x: Value) -> None:
        """Room for the feature, then a copy."""
        if (place := self.feature(feature)) >= 0:
            self.features[place] = np.empty((self.call.info.rows, x.width), np.float32)
        super().mark(feature, x)
