"""The shelf of GGUF tensor types: one file per type, named like it in lower case.

Each holds ELEMENTS and BYTES of one block, and `decode_torch`: blocks [n, BYTES] uint8 -> values [n, ELEMENTS] float32,
bit for bit what llama.cpp's own dequantisation gives. A row is a whole number of blocks.
"""

from types import ModuleType
from typing import TYPE_CHECKING

from ... import shelf
from ...errors import LlamaspecError
from ...weights.types import BY_NAME, why_unknown

if TYPE_CHECKING:
    from ...weights.tensor import QuantizedTensor


def of(weight: "QuantizedTensor") -> ModuleType:
    """The shelf file for the type of a tensor. Raises as `check`."""
    check(weight)
    return shelf.take("kernels.quants", weight.type.lower())


def check(weight: "QuantizedTensor") -> None:
    """Raises LlamaspecError naming tensor and type where no shelf file is for the type. Imports no torch."""
    if weight.type.lower() not in shelf.names("kernels.quants"):
        hint = f"types that can be read: {', '.join(shelf.names('kernels.quants'))}"
        raise LlamaspecError(
            f"tensor {weight.name!r} has the type {weight.type}, which llamaspec cannot unpack",
            hint if weight.type in BY_NAME else why_unknown(weight.type),
        )
