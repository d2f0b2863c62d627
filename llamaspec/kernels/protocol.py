"""The back-end interface: how weights are prepared, and what a network may do with the rows of a pass.

Values are opaque to networks: [N, width] with as many rows as the pass (or, behind `select`, as rows whose logits are
wanted), heads side by side. A back end may compute them at once or record what is to be computed. Every function
keeps its order of reduction whatever the number of rows, so that a row's result is bit-identical in any batch.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..arrays import Array
from .kv_types import KVType
from .planes import Plane
from .records import Activation, Attend, Delta, Index, NormKind, Routing, Temper

if TYPE_CHECKING:
    import numpy as np

    from ..weights.tensor import QuantizedTensor

KV_BLOCK = 256
"""Positions that `KVIndex.blocks` counts in, and the unit of a cache's size."""
Value = Any
"""Rows of a pass, in the back end's own form."""
Vector = Any
"""A small float32 tensor that a back end has prepared."""


class Matrix(Protocol):
    """A weight, or a stack of them, prepared by a back end."""

    @property
    def shape(self) -> tuple[int, ...]:
        """[out, in], or [count, out, in]."""
        ...


@dataclass(frozen=True)
class KVIndex:
    """Which cache cells each row attends to: those of positions 0..positions[n] of its sequence.

    positions [N] int64. slots [N] int64. lengths [N] int64: committed cells of the row's slot, where cell = position.
    paths [N, T] int64 or None: the cell that holds position lengths[n] + t on the row's own branch of a draft tree;
    None = a chain, where every cell is its position. blocks: how many KV blocks cover the longest row.
    Keys are always visited in the order of positions, so a branch of a tree gets the bits of plain decoding.
    """

    positions: Array
    slots: Array
    lengths: Array
    paths: Array | None
    blocks: int


@dataclass(frozen=True)
class Batch:
    """N rows, as arrays of the host or of the device; nothing here makes the forward pass branch.

    tokens, positions, slots [N] int64; siblings in a draft tree share a position. cells [N]: where the row's keys and
    values are written, -1 = a padding row's, which nobody reads. index: what it attends to. wanted [W]: rows whose
    logits are needed, None = all. hidden [N, D]: rows that enter as vectors instead of tokens.
    """

    tokens: Array
    positions: Array
    slots: Array
    cells: Array
    index: KVIndex
    wanted: Array | None
    hidden: Array | None = None


@dataclass(frozen=True)
class Output:
    """logits [W, V] float32. features: number -> [N, D], those that were asked for."""

    logits: Array
    features: Mapping[int, Array] = field(default_factory=dict)


class Store(Protocol):
    """What one layer remembers of `slots` sequences. Rows of a pass are provisional until they are committed."""

    @property
    def planes(self) -> Sequence[Plane]:
        """What the operations of the layer read and write."""
        ...

    @property
    def draft_rows(self) -> int:
        """Most rows of a branch, or of a prompt chunk, that it can take back."""
        ...

    @property
    def bytes(self) -> int:
        """Memory when full."""
        ...

    def commit(self, slot: int, length: int, path: Sequence[int]) -> None:
        """Keep these rows of the slot's last pass, in order, behind `length` committed tokens. path is increasing."""
        ...

    def truncate(self, slot: int, length: int) -> int:
        """Forget all but the first `length` tokens -> how many are left, perhaps fewer than asked for."""
        ...

    def copy(self, source: int, target: int, length: int) -> int:
        """The first `length` tokens of one slot to another -> how many that slot knows then."""
        ...

    def save(self, slot: int, length: int) -> list["np.ndarray"]:
        """What a slot knows of its first `length` tokens, all of them committed."""
        ...

    def load(self, slot: int, length: int, parts: Sequence["np.ndarray"]) -> None:
        """What `save` gave. Raises ValueError if it has other sizes."""
        ...


class Operations(Protocol):
    """What a network may do with the rows of one pass."""

    def embed(self, table: Any, scale: float) -> Value:
        """-> [N, D]: the rows' tokens looked up in table, times scale; rows that enter as vectors as they are."""
        ...

    def lookup(self, table: Any, by: Literal["token", "position"], scale: float = 1.0) -> Value:
        """-> [N, width]: rows of table by the rows' tokens, also where those enter as vectors, or by positions."""
        ...

    def resume(self, width: int) -> Value:
        """-> [N, width]: rows that enter as vectors, in the middle of a network."""
        ...

    def select(self, x: Value) -> Value:
        """x [N, D] -> [W, D]: the rows whose logits are wanted."""
        ...

    def mark(self, feature: int, x: Value) -> None:
        """x [N, D] is the feature of that number, for those who ask."""
        ...

    def finish(self, logits: Value) -> None:
        """logits [W, V] are what the pass gives."""
        ...

    def norm(self, x: Value, kind: NormKind, weight: Vector, bias: Vector, eps: float, groups: int = 1) -> Value:
        """x [N, D] -> same; each of `groups` parts of a row by itself. weight, bias: [D / groups], [D], or None."""
        ...

    def products(self, projections: Any, x: Value, residual: Value = None) -> list[Value]:
        """x [N, in] -> [N, out_i] of each matrix; residual [N, out_0] is added to the first."""
        ...

    def heads(self, stack: Any, x: Value) -> Value:
        """x [N, H * in], stack [H, out, in] -> [N, H * out]: every head by its own matrix."""
        ...

    def columns(self, x: Value, start: int, stop: int) -> Value:
        """x [N, D] -> [N, stop - start]."""
        ...

    def split(self, x: Value, heads: int, widths: Sequence[int]) -> list[Value]:
        """x [N, H * sum(widths)] -> [N, H * width] of each: every head is cut."""
        ...

    def join(self, parts: Sequence[Value], heads: int) -> Value:
        """[N, H * width] of each -> [N, H * sum of widths]: every head is put together."""
        ...

    def rotate(self, x: Value, rotation: Any, heads: int, offset: int = 0) -> Value:
        """x [N, H * head] -> same: rotary positions for the values of each head from offset on (spec/models.md 1.2)."""
        ...

    def append(self, store: int, plane: int, x: Value, heads: int) -> None:
        """x [N, K * head] goes to the rows' cells of a plane of a layer's store."""
        ...

    def attend(self, store: int, q: Value, how: Attend, values: int = 1, chosen: Value = None) -> Value:
        """q [N, H * key] -> [N, H * value]. Keys are plane 0 of the store; values: plane 1, or the front of plane 0.

        chosen: what `index` gave: only those positions are seen.
        """
        ...

    def index(self, store: int, plane: int, q: Value, weights: Value, how: Index) -> Value:
        """q [N, heads * size], weights [N, heads] -> the positions that rows attend to, in the back end's own form.

        Their keys are in a plane of floats of the store.
        """
        ...

    def gate(self, activation: Activation, gate: Value, up: Value = None, limit: float = 0.0) -> Value:
        """gate, up [N, F] -> activation(gate) * up. gate [N, 1] is one value for the row; without up: activation(gate).

        limit (0: none): up is clamped to +-limit and activation(gate) to at most limit.
        """
        ...

    def add(self, a: Value, b: Value) -> Value:
        """a, b [N, D] -> a + b."""
        ...

    def scale(self, x: Value, factor: float) -> Value:
        """x [N, D] -> factor * x."""
        ...

    def temper(self, x: Value, how: Temper) -> Value:
        """x [N, D] -> x times a factor that grows with the logarithm of the row's position."""
        ...

    def softcap(self, x: Value, cap: float) -> Value:
        """x [N, D] -> cap * tanh(x / cap)."""
        ...

    def route(self, logits: Value, bias: Vector, how: Routing) -> tuple[Value, Value]:
        """logits [N, E] -> the chosen experts' numbers [N, used], rising in each row, and their weights [N, used]."""
        ...

    def experts(self, experts: Any, x: Value, chosen: Value, weights: Value) -> Value:
        """x [N, D] -> [N, D]: the chosen experts' results, added up in the order of their numbers."""
        ...

    def conv(self, store: int, x: Value, weight: Vector, bias: Vector, activation: Activation) -> Value:
        """x [N, C], weight [C, kernel] -> [N, C]: causal, per channel, over inputs kept in plane 0 of the store."""
        ...

    def delta(
        self, store: int, q: Value, k: Value, v: Value, beta: Value, decay: Value, how: Delta, skip: Vector = None
    ) -> Value:
        """q, k [N, key heads * size], v [N, heads * value], beta [N, heads], decay [N, decays] -> [N, heads * value].

        skip [heads] or None: v times it is added to a head's result.
        """
        ...

    def decay(self, x: Value, bias: Vector, rate: Vector) -> Value:
        """x [N, H], bias and rate [H] -> exp(rate * softplus(x + bias))."""
        ...


@dataclass(frozen=True)
class Experts:
    """Stacks of a mixture: result = down(activation(gate x) * up x). biases [E, out] or None. gate None: no gate.

    scales [E] or None: a product is multiplied by it, its bias (which is divided by it) included. weigh_input: an
    expert's weight multiplies its input instead of its result (llama4).
    """

    gate: Matrix | None
    up: Matrix
    down: Matrix
    biases: tuple[Vector, Vector, Vector]
    activation: Activation
    limit: float = 0.0
    weigh_input: bool = False
    scales: tuple[Vector, Vector, Vector] = (None, None, None)


class Tape(Protocol):
    """A recorded pass."""

    def run(self, batch: Batch, stores: Sequence[Store], features: Sequence[int]) -> Output:
        """The bits of running the network operation by operation."""
        ...


class Kernels(Protocol):
    """A back end: prepares weights and memory, and makes the operations of a pass."""

    @property
    def name(self) -> str:
        """As after --kernels."""
        ...

    @property
    def pass_rows(self) -> int | None:
        """Decode passes have exactly this many rows, padded or split; None = a row has its bits at any width."""
        ...

    @property
    def widest(self) -> int:
        """Most rows of a decode pass: up to there a row keeps its bits."""
        ...

    @property
    def prompt_rows(self) -> int:
        """Rows per pass when reading a prompt."""
        ...

    @property
    def cache_type(self) -> KVType:
        """What the KV cache holds unless the user says otherwise."""
        ...

    @property
    def exhausted(self) -> tuple[type[BaseException], ...]:
        """What is raised when memory runs out."""
        ...

    def computing(self) -> AbstractContextManager[Any]:
        """To be entered around everything that is computed from its results."""
        ...

    def here(self, values: Array) -> Array:
        """values, an array of any place, as an array of this one."""
        ...

    @property
    def exact(self) -> bool:
        """Whether it computes the dequantised model in float32 (decisions.md 4)."""
        ...

    def prepare(self, weight: "QuantizedTensor") -> Matrix:
        """Take a packed weight [out, in], or a stack [count, out, in], over in whatever form is fastest."""
        ...

    def table(self, weight: "QuantizedTensor") -> Matrix:
        """A packed weight [count, width] whose rows are only looked up."""
        ...

    def vector(self, weight: "QuantizedTensor") -> Vector:
        """A small tensor as float32."""
        ...

    def numbers(self, weight: "QuantizedTensor") -> "np.ndarray":
        """A tensor as float32 [*shape] on the host."""
        ...

    def projections(self, matrices: Sequence[Any], biases: Sequence[Vector]) -> Any:
        """Matrices that multiply the same rows, with their biases or None."""
        ...

    def rotation(self, frequencies: "np.ndarray", amplitude: float, interleaved: bool) -> Any:
        """Rotary positions: frequencies [width / 2] float64. interleaved: pairs are (2j, 2j+1)."""
        ...

    @property
    def unpacks(self) -> bool:
        """Whether weights that do not fit unpacked can be unpacked at every use."""
        ...

    def resident_bytes(self, weights: Mapping[str, tuple[str, int, int]]) -> int:
        """Memory that tensors take once prepared: name -> (type, values, bytes in the file)."""
        ...

    def zeros(self, shape: Sequence[int]) -> Any:
        """Bytes of a store, which take no memory on a CPU until they are written."""
        ...

    def recurrence(self, slots: int, how: Delta) -> Store:
        """A store for the states of a gated delta rule."""
        ...

    def operations(self, batch: Batch, stores: Sequence[Store], features: Sequence[int]) -> "Running":
        """The operations of one pass, computed one by one."""
        ...

    def record(self, run: Callable[[Operations], None]) -> Tape | None:
        """The operations of a network as a tape; None where this back end computes them one by one."""
        ...


class Running(Operations, Protocol):
    """Operations that compute at once."""

    def output(self) -> Output:
        """What the pass gave."""
        ...
