"""How the cache stores numbers: an object per type that knows the bytes of a row, and packs and unpacks it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..errors import LlamaspecError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

BLOCK, BLOCK_BYTES = 32, 34
"""Of q8_0: values, and bytes for a half-precision scale and one byte per value."""


class KVType(Protocol):
    """A way to store rows of float32. number: in the native kernels (table.h)."""

    @property
    def name(self) -> str:
        """As after -ctk and -ctv."""
        ...

    @property
    def number(self) -> int: ...

    def row_bytes(self, values: int) -> int:
        """Of a row of so many values. Raises LlamaspecError where whole blocks do not fit it."""
        ...

    def encode(self, x: "Tensor") -> "Tensor":
        """x [..., values] float32 -> [..., row bytes] uint8."""
        ...

    def decode(self, data: "Tensor") -> "Tensor":
        """data [..., row bytes] uint8 -> [..., values] float32."""
        ...


@dataclass(frozen=True)
class Floats:
    """One number per value: f32, f16 or bf16."""

    name: str
    number: int
    width: int
    dtype: str

    def row_bytes(self, values: int) -> int:
        """Bytes of so many values."""
        return values * self.width

    def encode(self, x: "Tensor") -> "Tensor":
        """x [..., values] float32 -> bytes, rounded to the nearest."""
        import torch

        return x.to(getattr(torch, self.dtype)).contiguous().view(torch.uint8)

    def decode(self, data: "Tensor") -> "Tensor":
        """Bytes -> [..., values] float32."""
        import torch

        return data.view(getattr(torch, self.dtype)).float()


@dataclass(frozen=True)
class Q8Blocks:
    """GGUF's Q8_0: blocks of 32 signed bytes with a half-precision scale."""

    name: str = "q8_0"
    number: int = 2

    def row_bytes(self, values: int) -> int:
        """Bytes of so many values, which must be whole blocks."""
        if values % BLOCK:
            raise LlamaspecError(
                f"a q8_0 cache holds blocks of {BLOCK} values, the model's heads have {values}",
                hint="use -ctk f16 (of a draft model: -ctkd f16)",
            )
        return values // BLOCK * BLOCK_BYTES

    def encode(self, x: "Tensor") -> "Tensor":
        """Scale = largest / 127 in half precision, bytes to the nearest, ties to even: the native kernels' bits.

        A block with a NaN or an infinity gets a scale that passes it on.
        """
        import torch

        blocks = x.reshape(-1, BLOCK)
        scale = blocks.abs().amax(-1, keepdim=True) / 127
        inverse = torch.where(scale != 0, 1 / scale, 0.0)
        values = (blocks * inverse).nan_to_num(nan=0.0, posinf=127.0, neginf=-127.0).clamp(-127, 127).round()
        parts = (scale.to(torch.float16).view(torch.uint8), values.to(torch.int8).view(torch.uint8))
        return torch.cat(parts, dim=-1).view(*x.shape[:-1], -1)

    def decode(self, data: "Tensor") -> "Tensor":
        """Bytes -> [..., values] float32."""
        from .quants import q8_0

        values = data.shape[-1] // BLOCK_BYTES * BLOCK
        return q8_0.decode_torch(data.reshape(-1, BLOCK_BYTES)).view(*data.shape[:-1], values)


F32 = Floats("f32", 0, 4, "float32")
F16 = Floats("f16", 1, 2, "float16")
BF16 = Floats("bf16", 3, 2, "bfloat16")
Q8_0 = Q8Blocks()
ALL: tuple[KVType, ...] = (F32, F16, BF16, Q8_0)


def named(name: str) -> KVType:
    """Raises UsageError with the known names."""
    for kind in ALL:
        if kind.name == name:
            return kind
    known = ", ".join(kind.name for kind in ALL)
    raise UsageError(f"cache type {name} is not supported yet", hint=f"one of auto, {known}")
