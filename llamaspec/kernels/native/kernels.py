"""What the native back end makes of weights and memory (decisions.md 8)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from ...arrays import Array
from ...weights.tensor import QuantizedTensor
from ..kv_types import F16
from ..protocol import Batch, Operations, Store
from ..records import Delta
from .eager import EagerOperations
from .operations import FusedProjections
from .packed import Arena, Packed, Table, supports, unpacked
from .recorder import RecordedTape
from .rotation import Rotation
from .states import InputStates

PROMPT_ROWS = 128


class Native:
    """C++ kernels; a row's bits do not depend on its company, so passes need no padding.

    threads: of every call; None = one per core. One object serves one model, whose matrices share an arena.
    """

    name = "native"
    pass_rows = None
    widest = 64
    prompt_rows = PROMPT_ROWS
    cache_type = F16
    exhausted = (MemoryError,)
    unpacks = False
    exact = False

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads
        self.arena = Arena()

    def prepare(self, weight: QuantizedTensor) -> Packed:
        """Repack. A type or width without a native layout is unpacked to float32 first."""
        if not supports(weight.type, weight.shape[-1]):
            weight = QuantizedTensor.of_floats(self.numbers(weight), weight.name)
        return Packed(weight, self.threads, self.arena)

    def table(self, weight: QuantizedTensor) -> Table:
        """As the file holds it. A type that the kernels cannot read is unpacked to float32."""
        known = supports(weight.type, weight.shape[-1])
        return Table(weight if known else QuantizedTensor.of_floats(unpacked(weight), weight.name))

    def vector(self, weight: QuantizedTensor) -> np.ndarray:
        """Float32."""
        return self.numbers(weight)

    def numbers(self, weight: QuantizedTensor) -> np.ndarray:
        """Float32."""
        return unpacked(weight)

    def computing(self) -> AbstractContextManager[Any]:
        """Nothing has to hold."""
        return nullcontext()

    def here(self, values: Array) -> np.ndarray:
        """On the host."""
        return values if isinstance(values, np.ndarray) else values.cpu().numpy()

    def projections(self, matrices: Sequence[Packed], biases: Sequence[np.ndarray | None]) -> FusedProjections:
        """Activations are quantised once for all matrices."""
        return FusedProjections(matrices, biases)

    def rotation(self, frequencies: np.ndarray, amplitude: float, interleaved: bool) -> Rotation:
        """Tables by position."""
        return Rotation(frequencies, amplitude, interleaved)

    def resident_bytes(self, weights: Mapping[str, tuple[str, int, int]]) -> int:
        """As packed as in the file, or float32 where a type has no native layout."""
        return sum(size if supports(kind, 256) else 4 * values for kind, values, size in weights.values())

    def zeros(self, shape: Sequence[int]) -> np.ndarray:
        """[shape] uint8, whose pages take no memory until they are written."""
        return np.zeros(tuple(shape), np.uint8)

    def recurrence(self, slots: int, how: Delta) -> InputStates:
        """A base state and the inputs behind it."""
        return InputStates(slots, how)

    def operations(self, batch: Batch, stores: Sequence[Store], features: Sequence[int]) -> EagerOperations:
        """Run one by one."""
        return EagerOperations(batch, stores, features, self.threads)

    def record(self, run: Callable[[Operations], None]) -> RecordedTape:
        """One call for a whole pass."""
        return RecordedTape(run, self.threads)
