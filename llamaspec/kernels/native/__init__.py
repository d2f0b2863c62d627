"""The CPU back end in C++ (decisions.md 8): packed matrices, norm, rotary positions, attention.

The library is built when the package is installed; without a compiler `available()` is False and `why_not()` says so.
Nothing here imports torch before a kernel is used.
"""

from typing import TYPE_CHECKING

from .library import load

if TYPE_CHECKING:
    from ...weights.tensor import QuantizedTensor
    from .packed import Packed


def available() -> bool:
    """Whether the library was built and loads on this machine."""
    return load()[0] is not None


def why_not() -> str:
    """One line for the user; empty if available."""
    return load()[1]


def isa() -> str:
    """The instruction set in use: avx512, avx-vnni, avx2, neon or generic; empty if the library is not there."""
    loaded = load()[0]
    return loaded.isa().decode() if loaded else ""


def pack(tensor: "QuantizedTensor", threads: int | None = None) -> "Packed":
    """A matrix [N, K] in native layout; raises LlamaspecError if its type has none (`packed.supports`)."""
    from .packed import Packed

    return Packed(tensor, threads)
