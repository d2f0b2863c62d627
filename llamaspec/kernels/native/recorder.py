"""The tape: a network's operations, recorded once over registers, run in one native call for any number of rows."""

from collections.abc import Callable, Iterator, Sequence
from ctypes import Structure, addressof
from typing import Any

import numpy as np

from ..protocol import Batch, Output, Store
from . import structures as c
from .call import PassCall
from .operations import NativeOperations, Value

ALIGNED = 16
"""Floats: registers begin at whole cache lines whatever the number of rows."""
IN_PLACE = {
    c.OpKind.NORM: ("x",),
    c.OpKind.ROTATE: ("x",),
    c.OpKind.GATE: ("gate", "up"),
    c.OpKind.ELEMENT: ("a", "b"),
    c.OpKind.TEMPER: ("x",),
}
"""Inputs whose place the result may take, if nobody reads them later."""


class Recorder(NativeOperations):
    """Values are registers by number; places are given when everything is known."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: list[int] = []
        self.ops: list[tuple[c.OpKind, Any, bool]] = []
        self.features: dict[int, int] = {}
        """Number of a feature -> its place in the pass's list."""
        self.feature_widths: list[int] = []
        self.vocabulary = 0

    def new(self, width: int, wanted: bool) -> Value:
        """A register."""
        self.widths.append(-(-width // ALIGNED) * ALIGNED)
        return Value(len(self.widths) - 1, width, width, 0, wanted)

    def rows(self, value: Value | None) -> c.Rows:
        """`at` is the register's number for now."""
        return c.Rows() if value is None else c.Rows(None, value.base, value.column, value.step, value.width)

    def emit(self, kind: c.OpKind, arguments: Structure, wanted: bool) -> None:
        """Kept for later."""
        self.ops.append((kind, arguments, wanted))

    def result(self, width: int) -> Value:
        """The pass's logits."""
        self.vocabulary = width
        return Value(c.OUTPUT, width, width, 0, True)

    def feature(self, number: int) -> int:
        """By order of first use."""
        return self.features.setdefault(number, len(self.features))

    def mark(self, feature: int, x: Value) -> None:
        """Every feature may be asked for."""
        super().mark(feature, x)
        self.feature_widths.append(x.width)

    def finish(self, logits: Value) -> None:
        """What made the logits writes them to their place; so does what is changed in place on the way."""
        self.vocabulary, register = logits.width, logits.base
        for kind, made, _ in reversed(self.ops):
            ys = [view for view, role in operands(kind, made) if role == "y" and view.at == register]
            if not ys:
                continue
            for view, _ in operands(kind, made):
                if view.at == register:
                    view.at = c.OUTPUT
            if kind != c.OpKind.ELEMENT:
                break
            register = made.a.at
            made.a.at = c.OUTPUT

    def places(self) -> tuple[list[int], int]:
        """Where each register begins, in floats per row, and how many there are in all."""
        last: dict[int, int] = {}
        for number, (kind, arguments, _) in enumerate(self.ops):
            last |= {view.at: number for view, _ in operands(kind, arguments)}
        at = [-1] * len(self.widths)
        free: dict[int, list[int]] = {}
        top = 0
        for number, (kind, arguments, _) in enumerate(self.ops):
            views = [(view, role) for view, role in operands(kind, arguments) if view.at != c.OUTPUT]
            dying = {view.at for view, _ in views if last[view.at] == number}
            taken = {}
            for made in [view.at for view, role in views if role == "y" and at[view.at] < 0]:
                heir = self._heir(kind, made, views, dying, taken, at)
                if heir is not None:
                    at[made], taken[heir] = at[heir], made
                elif free.get(self.widths[made]):
                    at[made] = free[self.widths[made]].pop()
                else:
                    at[made], top = top, top + self.widths[made]
            for register in dying - set(taken):
                free.setdefault(self.widths[register], []).append(at[register])
        return at, top

    def _heir(
        self, kind: c.OpKind, made: int, views: Sequence[tuple[Any, str]], dying: set[int], taken: dict, at: list[int]
    ) -> int | None:
        """A dying input whose place the result takes: it must be read at the same place as it is written."""
        first = [view.at for view, role in views if role == "y"][:1] == [made]
        for view, role in views:
            whole = view.at != made and not view.column and view.width == view.step
            fits = whole and self.widths[view.at] == self.widths[made] and view.at in dying and view.at not in taken
            same = role in IN_PLACE.get(kind, ()) or (role == "residual" and first)
            others = [other for other, part in views if other.at == view.at and part != role]
            if fits and same and not others:
                return view.at
        return None


def operands(kind: c.OpKind, arguments: Any) -> Iterator[tuple[Any, str]]:
    """The registers of an operation, as views of its structure, with their roles; "y" = written."""
    for name, of in arguments._fields_:
        view = getattr(arguments, name) if of is c.Rows else None
        if view is not None and view.width:
            written = name == "y" or (kind == c.OpKind.ROUTE and name in ("chosen", "weights"))
            yield view, "y" if written else name
    if kind == c.OpKind.PRODUCTS:
        for part in (c.Part * arguments.n).from_address(arguments.parts):
            yield part.y, "y"
            if part.residual.width:
                yield part.residual, "residual"


class RecordedTape:
    """Operations with their registers placed; one call runs them. One pass at a time: the arena is kept."""

    def __init__(self, run: Callable[[Any], None], threads: int | None) -> None:
        recorder = Recorder()
        run(recorder)
        at, self.floats = recorder.places()
        for kind, arguments, _ in recorder.ops:
            for view, _ in list(operands(kind, arguments)):
                if view.at != c.OUTPUT:
                    view.at = at[view.at]
        self.recorder = recorder
        self.ops = (c.Op * len(recorder.ops))(
            *((kind, wanted, addressof(arguments)) for kind, arguments, wanted in recorder.ops)
        )
        self.call = PassCall(threads)
        self.stores: Sequence[Store] | None = None
        self.blocks = 0
        self.arena = np.empty(0, np.float32)

    def run(self, batch: Batch, stores: Sequence[Store], features: Sequence[int]) -> Output:
        """The bits of the operations one by one."""
        recorder, call = self.recorder, self.call
        if stores is not self.stores:
            call.planes(stores, recorder.planes)
            self.stores = stores
        if batch.index.blocks > self.blocks:
            self.blocks = batch.index.blocks
            call.ropes(recorder.rotations, self.blocks)
        call.rows(batch)
        self._reserve(call.info.rows)
        logits = np.empty((call.info.wanted_rows, recorder.vocabulary), np.float32)
        found: list[np.ndarray | None] = [None] * len(recorder.features)
        for feature in features:
            place = recorder.features[feature]
            found[place] = np.empty((call.info.rows, recorder.feature_widths[place]), np.float32)
        call.results(logits, found)
        call.run(addressof(self.ops), len(self.ops))
        return Output(logits, {feature: found[recorder.features[feature]] for feature in features})

    def _reserve(self, rows: int) -> None:
        """Registers of so many rows, from the first cache line on."""
        need = rows * self.floats + ALIGNED
        if need > len(self.arena):
            self.arena = np.empty(need, np.float32)
        start = self.arena.ctypes.data
        self.call.info.arena = start + -start % (4 * ALIGNED)
