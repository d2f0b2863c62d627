"""How the KV cache holds numbers: as floats, or packed in GGUF's Q8_0 blocks of a scale and 32 bytes."""

import torch
from torch import Tensor

from ..errors import LlamaspecError
from .quants import q8_0

Q8_0 = torch.uint8
"""Packed rows are bytes to torch; no other type of bytes is held."""


def row_width(values: int, dtype: torch.dtype) -> int:
    """Elements of dtype that a head's row of so many values takes. Raises LlamaspecError where blocks do not fit it."""
    if dtype is not Q8_0:
        return values
    if values % q8_0.ELEMENTS:
        raise LlamaspecError(
            f"a q8_0 cache holds blocks of {q8_0.ELEMENTS} values, the model's heads have {values}",
            hint="use -ctk f16 (of a draft model: -ctkd f16)",
        )
    return values // q8_0.ELEMENTS * q8_0.BYTES


def row_values(held: Tensor) -> int:
    """held [..., row] -> the values of a head's row."""
    return held.shape[-1] // q8_0.BYTES * q8_0.ELEMENTS if held.dtype is Q8_0 else held.shape[-1]


def row_bytes(values: int, dtype: torch.dtype) -> int:
    """Of a head's row of so many values."""
    return row_width(values, dtype) * torch.empty((), dtype=dtype).element_size()


def packed(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x [..., values] float32 -> [..., row] of dtype.

    Q8_0: scale = largest / 127 in half precision, bytes to the nearest, ties to even; the native kernels have the same
    bits. A block with a NaN or an infinity gets a scale that hands it on.
    """
    if dtype is not Q8_0:
        return x.to(dtype)
    blocks = x.reshape(-1, q8_0.ELEMENTS)
    scale = blocks.abs().amax(-1, keepdim=True) / 127
    inverse = torch.where(scale != 0, 1 / scale, 0.0)
    values = (blocks * inverse).nan_to_num(nan=0.0, posinf=127.0, neginf=-127.0).clamp(-127, 127).round()
    parts = (scale.to(torch.float16).view(torch.uint8), values.to(torch.int8).view(torch.uint8))
    return torch.cat(parts, dim=-1).view(*x.shape[:-1], -1)


def loaded(held: Tensor) -> Tensor:
    """held [..., row] -> [..., values] float32."""
    if held.dtype is not Q8_0:
        return held.float()
    return q8_0.decode_torch(held.reshape(-1, q8_0.BYTES)).view(*held.shape[:-1], row_values(held))
