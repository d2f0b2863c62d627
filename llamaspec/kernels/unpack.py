"""Packed weights as float32: the oracle of every fast path (decisions.md 4)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..weights.tensor import QuantizedTensor
from . import quants


def dequantize(weight: QuantizedTensor) -> Tensor:
    """The weight as float32 [*shape], on its own device."""
    kind = quants.of(weight)
    blocks = weight.data.reshape(-1, kind.BYTES)
    return kind.decode_torch(blocks).reshape(weight.shape)


def rows(weight: QuantizedTensor, ids: Sequence[int] | Tensor) -> Tensor:
    """ids [N] -> [N, in] float32: some rows of a packed matrix."""
    index = torch.as_tensor(ids, dtype=torch.int64, device=weight.data.device)
    picked = weight.data.index_select(0, index)
    return dequantize(QuantizedTensor(picked, weight.type, (len(index), weight.shape[-1]), weight.name))
