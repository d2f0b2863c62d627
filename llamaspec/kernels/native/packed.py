"""Weight matrices in the layout of the native kernels."""

import numpy as np

from ...errors import LlamaspecError
from ...weights.tensor import QuantizedTensor
from ...weights.types import TYPES
from .. import quants
from ..dispatch import need_torch
from .codebooks import hand_over
from .library import library
from .threads import how_many

NUMBERS = {block.name: number for number, block in TYPES.items()}
"""Of types in GGUF. The library says which of them it can pack."""


def supports(type_name: str, columns: int) -> bool:
    """Whether a matrix of that type and row length can be packed."""
    return library().row_bytes(NUMBERS.get(type_name, -1), columns) > 0


class Arena:
    """Memory for the packed matrices of one model, one behind the other; it lives as long as one of them does."""

    def __init__(self) -> None:
        """Raises LlamaspecError when memory runs out."""
        native = library()
        self.release, self.handle = native.arena_release, native.arena_new()
        if not self.handle:
            raise LlamaspecError("out of memory before packing", hint="use a smaller file")

    def __del__(self) -> None:
        handle, self.handle = getattr(self, "handle", None), None
        if handle:
            self.release(handle)


class Packed:
    """A matrix [N, K] or a stack [E, N, K], repacked once: 16 rows side by side (quants/body.h).

    `rows` still reads the file's own bytes. count: E, 1 for a matrix. out, columns: N, K.
    """

    def __init__(self, tensor: QuantizedTensor, threads: int | None = None, arena: Arena | None = None) -> None:
        """arena: where it is to lie, else in memory of its own.

        Raises LlamaspecError for a type, width or size that cannot be packed, and when memory runs out.
        """
        native = library()
        self.shape = tensor.shape
        self.type = NUMBERS.get(tensor.type, -1)
        columns = tensor.shape[-1]
        row = native.row_bytes(self.type, columns)
        if len(tensor.shape) not in (2, 3) or row == 0:
            raise LlamaspecError(f"tensor {tensor.name!r}: no native kernel for {tensor.type} {list(tensor.shape)}")
        data = np.ascontiguousarray(tensor.data)
        if data.nbytes != row * tensor.rows:
            raise LlamaspecError(f"tensor {tensor.name!r}: {data.nbytes} bytes, {row * tensor.rows} are needed")
        hand_over(tensor.type, self.type)
        self.count, self.out, self.columns = (1, *tensor.shape)[-3:]
        self.source_address = data.ctypes.data
        self.release = native.release  # the destructor may run when modules are gone
        self.handle = native.pack(
            None if arena is None else arena.handle, self.type, self.source_address, self.count, self.out, columns,
            how_many(threads), tensor.mapped,
        )  # fmt: skip
        if not self.handle:
            raise LlamaspecError(f"out of memory while packing tensor {tensor.name!r}", hint="use a smaller file")
        self.source = data if tensor.mapped or self.count == 1 else None  # a copy's memory goes, unless rows are read
        self.native = native
        self.threads = how_many(threads)
        self.call = native.matmul

    def __del__(self) -> None:
        handle, self.handle = getattr(self, "handle", None), None
        if handle:
            self.release(handle)

    @property
    def bytes(self) -> int:
        """Of the packed form."""
        return self.native.packed_bytes(self.handle)

    def matmul(self, x: np.ndarray, out: np.ndarray | None = None, threads: int | None = None) -> np.ndarray:
        """x [M, K] -> [M, N] float32; not for stacks. Bits do not depend on M, a row's place or threads."""
        if self.count > 1:
            raise ValueError(f"a stack {list(self.shape)} is not multiplied as a whole")
        x = as_float32(x, self.columns)
        m = x.shape[0]
        y = np.empty((m, self.out), np.float32) if out is None else out
        used = self.threads if threads is None else how_many(threads)
        if self.call(self.handle, x.ctypes.data, m, y.ctypes.data, used):
            raise _out_of_memory(m)
        return y

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """ids [n] int64 -> [n, K] float32, bit for bit the dequantised rows; those of a stack are numbered through.

        Raises ValueError for a stack that is not mapped from a file.
        """
        if self.source is None:
            raise ValueError(f"the rows of the stack {list(self.shape)} are only there as packed")
        ids = np.ascontiguousarray(ids, np.int64)
        if len(ids) and not 0 <= ids.min() <= ids.max() < self.count * self.out:
            raise IndexError(f"row ids must be 0..{self.count * self.out - 1}")
        y = np.empty((len(ids), self.columns), np.float32)
        self.native.rows(self.type, self.source_address, self.columns, ids.ctypes.data, len(ids), y.ctypes.data)
        return y


class Table:
    """Rows [count, width] that are only looked up, as the file holds them."""

    def __init__(self, tensor: QuantizedTensor) -> None:
        self.shape, self.type = tensor.shape, NUMBERS[tensor.type]
        self.out, self.columns = tensor.shape
        hand_over(tensor.type, self.type)
        self.source = np.ascontiguousarray(tensor.data)
        self.source_address = self.source.ctypes.data


def as_float32(x: np.ndarray, columns: int) -> np.ndarray:
    """x as contiguous float32, if its rows have that many columns."""
    if x.shape[-1] != columns:
        raise ValueError(f"rows of {x.shape[-1]} values, {columns} expected")
    return np.ascontiguousarray(x, np.float32)


def unpacked(tensor: QuantizedTensor) -> np.ndarray:
    """The values of a tensor as float32 [*shape]. Raises LlamaspecError for a type that nobody can unpack."""
    if not supports(tensor.type, tensor.shape[-1]):
        quants.check(tensor)
        need_torch(f"tensor {tensor.name!r} of type {tensor.type}")
        from ..unpack import dequantize

        return dequantize(tensor).numpy()
    number, data = NUMBERS[tensor.type], np.ascontiguousarray(tensor.data)
    hand_over(tensor.type, number)
    values = np.empty(tensor.shape, np.float32)
    ids = np.arange(tensor.rows)
    library().rows(number, data.ctypes.data, tensor.shape[-1], ids.ctypes.data, tensor.rows, values.ctypes.data)
    return values


def _out_of_memory(rows: int) -> LlamaspecError:
    return LlamaspecError(f"out of memory while multiplying {rows} rows", hint="use a smaller --ubatch-size")
