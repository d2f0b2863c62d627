"""A tensor as the file holds it: packed rows and the name of their type."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from ..arrays import Array
from ..errors import LlamaspecError
from .file import GGUFFile
from .header import shown
from .types import BY_NAME, why_unknown


@dataclass(frozen=True)
class QuantizedTensor:
    """Packed rows, never silently unpacked (`kernels.dispatch` does that).

    data: [rows, row_bytes] uint8, in the file's own byte layout, for every type, F32 included. What `load` gives is a
    numpy view of the mapped file; the reference back end makes a torch tensor of it.
    type: upper case GGUF name such as "Q4_K"; its lower case is a file on kernels/quants/.
    mapped: whether data are pages of the file, which can be given back and read again.
    shape: logical, numpy order (GGUF's dimensions reversed): [out, in] for a matrix.
    """

    data: Array
    type: str
    shape: tuple[int, ...]
    name: str = ""
    mapped: bool = False

    @property
    def rows(self) -> int:
        """Product of all dimensions but the last."""
        return prod(self.shape[:-1])

    @property
    def n_bytes(self) -> int:
        """Size of the packed data."""
        return prod(self.data.shape)

    @classmethod
    def of_floats(cls, values: np.ndarray, name: str = "") -> "QuantizedTensor":
        """Float32 values [.., in] as a tensor of type F32."""
        rows = np.ascontiguousarray(values, np.float32).reshape(-1, values.shape[-1])
        return cls(rows.view(np.uint8), "F32", tuple(values.shape), name)

    def expect(self, shape: Sequence[int | None]) -> "QuantizedTensor":
        """Itself, if it has this shape (None: any size there). Raises LlamaspecError naming both shapes."""
        fits = len(shape) == len(self.shape) and all(a in (None, b) for a, b in zip(shape, self.shape, strict=True))
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            raise LlamaspecError(
                f"tensor {shown(self.name)} has shape {list(self.shape)}, expected [{wanted}]",
                "the tensors and the metadata of this file do not belong together; take another conversion",
            )
        return self


def load(file: GGUFFile, name: str) -> QuantizedTensor:
    """The tensor `name` of `file`, without reading it: its data is a [rows, row_bytes] uint8 view of the mapping.

    Raises LlamaspecError when the tensor is missing or of a type that has no known layout.
    """
    info = file.info(name)
    if info.type not in BY_NAME:
        raise LlamaspecError(
            f"{file.files[info.file]}: tensor {shown(name)} has the unknown {info.type}", why_unknown(info.type)
        )
    data = np.frombuffer(file.bytes(name), np.uint8)
    mapped = True
    if info.offset % 8:
        data, mapped = data.copy(), False  # a file with a tiny alignment: values would lie across word boundaries
    return QuantizedTensor(data.reshape(prod(info.shape[:-1]), -1), info.type, info.shape, name, mapped)
