"""A tensor as the file holds it: packed rows and the name of their type."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, device


@dataclass(frozen=True)
class QuantizedTensor:
    """Packed rows, never silently unpacked (`kernels.dispatch` does that).

    data: [rows, row_bytes] uint8, in the file's own byte layout, for every type, F32 included.
    type: upper case GGUF name such as "Q4_K"; its lower case is a file on kernels/quants/.
    shape: logical, numpy order (GGUF's dimensions reversed): [out, in] for a matrix.
    """

    data: "Tensor"
    type: str
    shape: tuple[int, ...]
    name: str = ""

    @property
    def rows(self) -> int:
        """Product of all dimensions but the last."""
        return prod(self.shape[:-1])

    def to(self, place: "device | str") -> "QuantizedTensor":
        """The same packed bytes on another device."""
        return QuantizedTensor(self.data.to(place), self.type, self.shape, self.name)
