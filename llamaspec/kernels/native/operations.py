"""A network's operations as the structures of tape.h. What becomes of each, subclasses say: run now, or record."""

from collections.abc import Sequence
from ctypes import Array, Structure
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..protocol import Experts
from ..records import ACTIVATIONS, GATINGS, NORM_KINDS, Activation, Attend, Delta, Index, NormKind, Routing, Temper
from . import structures as c
from .call import address, pointer
from .packed import Packed, Table
from .rotation import Rotation


@dataclass(frozen=True)
class Value:
    """Columns [column, column + width) of rows that lie `step` floats apart. base: a register's number, or an array.

    wanted: rows whose logits are wanted, else all rows of the pass.
    """

    base: Any
    width: int
    step: int
    column: int = 0
    wanted: bool = False


class FusedProjections:
    """Matrices [out_i, in] with biases [out_i] or None that share x: it is quantised once."""

    def __init__(self, matrices: Sequence[Packed], biases: Sequence[np.ndarray | None]) -> None:
        self.matrices, self.biases = list(matrices), list(biases)
        if any(matrix.columns != matrices[0].columns for matrix in matrices):
            raise ValueError("matrices that share x have the same width")


class NativeOperations:
    """Every operation is one structure. `kept` holds what the structures point to.

    planes, rotations: what the operations use of both, numbered by first use.
    """

    def __init__(self) -> None:
        self.kept: list[object] = []
        self.planes: dict[tuple[int, int], int] = {}
        self.rotations: list[Rotation] = []

    # -- what subclasses say ------------------------------------------------------------------------------------------

    def new(self, width: int, wanted: bool) -> Value:
        """Room for rows of so many values."""
        raise NotImplementedError

    def rows(self, value: Value | None) -> c.Rows:
        """Where a value lies; None: nowhere."""
        raise NotImplementedError

    def emit(self, kind: c.OpKind, arguments: Structure, wanted: bool) -> None:
        """One operation, its inputs and outputs placed by `rows`."""
        raise NotImplementedError

    def result(self, width: int) -> Value:
        """Where logits go."""
        raise NotImplementedError

    def feature(self, number: int) -> int:
        """Place of a feature in the pass's list; -1 = nobody asks."""
        raise NotImplementedError

    # -- operations ---------------------------------------------------------------------------------------------------

    def plane(self, store: int, plane: int) -> int:
        """The number of a plane in the pass."""
        return self.planes.setdefault((store, plane), len(self.planes))

    def rope(self, rotation: Rotation) -> int:
        """The number of a rotation in the pass."""
        if rotation not in self.rotations:
            self.rotations.append(rotation)
        return self.rotations.index(rotation)

    def embed(self, table: Packed, scale: float) -> Value:
        """-> [N, D]."""
        y = self.new(table.columns, False)
        arguments = c.EmbedOp(self.rows(y), table.source_address, table.out, table.type, scale)
        self._emit(c.OpKind.EMBED, arguments, y, table)
        return y

    def lookup(self, table: Table, by: Literal["token", "position"], scale: float = 1.0) -> Value:
        """-> [N, width]."""
        y = self.new(table.columns, False)
        arguments = c.LookupOp(self.rows(y), table.source_address, table.out, table.type, by == "position", scale)
        self._emit(c.OpKind.LOOKUP, arguments, y, table)
        return y

    def resume(self, width: int) -> Value:
        """-> [N, width]."""
        y = self.new(width, False)
        self._emit(c.OpKind.EMBED, c.EmbedOp(self.rows(y), None, 0, 0, 1.0), y)
        return y

    def select(self, x: Value) -> Value:
        """x [N, D] -> [W, D]."""
        y = self.new(x.width, True)
        self._emit(c.OpKind.SELECT, c.SelectOp(self.rows(x), self.rows(y)), y)
        return y

    def mark(self, feature: int, x: Value) -> None:
        """x [N, D] is copied if somebody asks for it."""
        if (number := self.feature(feature)) >= 0:
            self._emit(c.OpKind.MARK, c.MarkOp(self.rows(x), number), x)

    def finish(self, logits: Value) -> None:
        """logits [W, V] are what the pass gives."""
        y = self.result(logits.width)
        heads = c.CopyOp(self.rows(logits), self.rows(y), 1, 0, 0, 0, 0, logits.width)
        self._emit(c.OpKind.COPY, heads, y)

    def norm(
        self,
        x: Value,
        kind: NormKind,
        weight: np.ndarray | None,
        bias: np.ndarray | None,
        eps: float,
        groups: int = 1,
    ) -> Value:
        """x [N, D] -> same, every one of the groups by itself."""
        y = self.new(x.width, x.wanted)
        own = x.width // groups if weight is not None and weight.ndim > 1 else 0
        arguments = c.NormOp(
            self.rows(x), self.rows(y), address(weight), address(bias), groups, own, NORM_KINDS.index(kind), eps
        )
        self._emit(c.OpKind.NORM, arguments, y, weight, bias)
        return y

    def products(self, projections: FusedProjections, x: Value, residual: Value | None = None) -> list[Value]:
        """x [N, in] -> [N, out_i] of each; residual [N, out_0] is added to the first."""
        ys = [self.new(matrix.out, x.wanted) for matrix in projections.matrices]
        parts: Array[c.Part] = (c.Part * len(ys))()
        pairs = zip(projections.matrices, projections.biases, ys, strict=True)
        for number, (matrix, bias, y) in enumerate(pairs):
            added = self.rows(None if number else residual)
            parts[number] = c.Part(matrix.handle, address(bias), self.rows(y), added)
        arguments = c.ProductsOp(self.rows(x), pointer(parts), len(ys))
        self._emit(c.OpKind.PRODUCTS, arguments, x, parts, projections)
        return ys

    def heads(self, stack: Packed, x: Value) -> Value:
        """x [N, H * in] -> [N, H * out]."""
        y = self.new(stack.count * stack.out, x.wanted)
        self._emit(c.OpKind.HEADS, c.HeadsOp(self.rows(x), self.rows(y), stack.handle), y, stack)
        return y

    def columns(self, x: Value, start: int, stop: int) -> Value:
        """x [N, D] -> [N, stop - start], the same numbers in the same place."""
        return replace(x, column=x.column + start, width=stop - start)

    def split(self, x: Value, heads: int, widths: Sequence[int]) -> list[Value]:
        """x [N, H * sum(widths)] -> [N, H * width] of each."""
        parts, start = [], 0
        for width in widths:
            y = self.new(heads * width, x.wanted)
            self._copy(x, y, heads, (sum(widths), start), (width, 0), width)
            parts.append(y)
            start += width
        return parts

    def join(self, parts: Sequence[Value], heads: int) -> Value:
        """[N, H * width] of each -> [N, H * sum of widths]."""
        whole = sum(part.width for part in parts)
        y, start = self.new(whole, parts[0].wanted), 0
        for part in parts:
            width = part.width // heads
            self._copy(part, y, heads, (width, 0), (whole // heads, start), width)
            start += width
        return y

    def _copy(
        self, x: Value, y: Value, heads: int, source: tuple[int, int], target: tuple[int, int], width: int
    ) -> None:
        self._emit(c.OpKind.COPY, c.CopyOp(self.rows(x), self.rows(y), heads, *source, *target, width), y)

    def rotate(self, x: Value, rotation: Rotation, heads: int, offset: int = 0) -> Value:
        """x [N, H * head] -> same."""
        y = self.new(x.width, x.wanted)
        arguments = c.RotateOp(self.rows(x), self.rows(y), heads, offset, self.rope(rotation))
        self._emit(c.OpKind.ROTATE, arguments, y, rotation)
        return y

    def append(self, store: int, plane: int, x: Value, heads: int) -> None:
        """x [N, K * head] goes to the rows' cells."""
        self._emit(c.OpKind.APPEND, c.AppendOp(self.rows(x), heads, self.plane(store, plane)), x)

    def attend(self, store: int, q: Value, how: Attend, values: int = 1, chosen: Value | None = None) -> Value:
        """q [N, H * key] -> [N, H * value]."""
        y = self.new(how.heads * how.value, q.wanted)
        arguments = c.AttendOp(
            self.rows(q), self.rows(y), address(how.sinks), self.plane(store, 0), self.plane(store, values),
            how.heads, how.kv_heads, how.key, how.value, how.window, how.chunked, how.scale, how.softcap,
            self.rows(chosen),
        )  # fmt: skip
        self._emit(c.OpKind.ATTEND, arguments, y, how)
        return y

    def index(self, store: int, plane: int, q: Value, weights: Value, how: Index) -> Value:
        """-> positions as int32 [N, used]."""
        y = self.new(how.used, q.wanted)
        keys = self.plane(store, plane)
        arguments = c.IndexOp(self.rows(q), self.rows(weights), self.rows(y), keys, how.heads, how.size, how.used)
        self._emit(c.OpKind.INDEX, arguments, y)
        return y

    def gate(self, activation: Activation, gate: Value, up: Value | None = None, limit: float = 0.0) -> Value:
        """gate, up [N, F] -> activation(gate) * up."""
        y = self.new(gate.width if up is None else up.width, gate.wanted)
        arguments = c.GateOp(self.rows(gate), self.rows(up), self.rows(y), ACTIVATIONS.index(activation), limit)
        self._emit(c.OpKind.GATE, arguments, y)
        return y

    def add(self, a: Value, b: Value) -> Value:
        """a + b."""
        return self._element(c.Element.ADD, a, b, 0.0)

    def scale(self, x: Value, factor: float) -> Value:
        """factor * x."""
        return self._element(c.Element.SCALE, x, None, factor)

    def temper(self, x: Value, how: Temper) -> Value:
        """x [N, D] -> same."""
        y = self.new(x.width, x.wanted)
        arguments = c.TemperOp(self.rows(x), self.rows(y), how.length, how.offset, how.scale)
        self._emit(c.OpKind.TEMPER, arguments, y)
        return y

    def softcap(self, x: Value, cap: float) -> Value:
        """cap * tanh(x / cap)."""
        return self._element(c.Element.SOFTCAP, x, None, cap)

    def _element(self, kind: c.Element, a: Value, b: Value | None, factor: float) -> Value:
        y = self.new(a.width, a.wanted)
        self._emit(c.OpKind.ELEMENT, c.ElementOp(self.rows(a), self.rows(b), self.rows(y), kind, factor), y)
        return y

    def route(self, logits: Value, bias: np.ndarray | None, how: Routing) -> tuple[Value, Value]:
        """logits [N, E] -> numbers (as int32) and weights [N, used]."""
        chosen, weights = self.new(how.used, logits.wanted), self.new(how.used, logits.wanted)
        arguments = c.RouteOp(
            self.rows(logits), self.rows(chosen), self.rows(weights), address(bias), how.used, how.groups,
            how.groups_used, GATINGS.index(how.gating), how.normalize, how.scale,
        )  # fmt: skip
        self._emit(c.OpKind.ROUTE, arguments, chosen, bias)
        return chosen, weights

    def experts(self, experts: Experts, x: Value, chosen: Value, weights: Value) -> Value:
        """x [N, D] -> [N, D]."""
        stacks = [None if stack is None else stack.handle for stack in (experts.gate, experts.up, experts.down)]  # type: ignore[attr-defined]
        y = self.new(experts.down.shape[1], x.wanted)
        arguments = c.ExpertsOp(
            self.rows(x), self.rows(chosen), self.rows(weights), self.rows(y), *stacks,
            *(address(vector) for vector in (*experts.biases, *experts.scales)), chosen.width,
            ACTIVATIONS.index(experts.activation), experts.weigh_input, experts.limit,
        )  # fmt: skip
        self._emit(c.OpKind.EXPERTS, arguments, y, experts)
        return y

    def conv(self, store: int, x: Value, weight: np.ndarray, bias: np.ndarray | None, activation: Activation) -> Value:
        """x [N, C] -> [N, C], causal and per channel."""
        self.append(store, 0, x, 1)
        y = self.new(x.width, x.wanted)
        arguments = c.ConvOp(
            self.rows(x), self.rows(y), address(weight), address(bias), weight.shape[1], self.plane(store, 0),
            ACTIVATIONS.index(activation),
        )  # fmt: skip
        self._emit(c.OpKind.CONV, arguments, y, weight, bias)
        return y

    def delta(
        self,
        store: int,
        q: Value,
        k: Value,
        v: Value,
        beta: Value,
        decay: Value,
        how: Delta,
        skip: np.ndarray | None = None,
    ) -> Value:
        """-> [N, heads * value]."""
        y = self.new(v.width, v.wanted)
        planes = (self.plane(store, 1), self.plane(store, 2), self.plane(store, 3))
        arguments = c.DeltaOp(
            *(self.rows(value) for value in (q, k, v, beta, decay, y)), address(skip), how.heads, how.key_heads,
            how.size, how.value, *planes, how.tiled, how.corrected, how.by_channel, how.scale,
        )  # fmt: skip
        self._emit(c.OpKind.DELTA, arguments, y, skip)
        return y

    def decay(self, x: Value, bias: np.ndarray, rate: np.ndarray) -> Value:
        """x [N, H] -> exp(rate * softplus(x + bias))."""
        y = self.new(x.width, x.wanted)
        self._emit(c.OpKind.DECAY, c.DecayOp(self.rows(x), self.rows(y), address(bias), address(rate)), y, bias, rate)
        return y

    def _emit(self, kind: c.OpKind, arguments: Structure, like: Value, *kept: object) -> None:
        """like: a value with the rows that the operation works on."""
        self.kept += kept
        self.emit(kind, arguments, like.wanted)
