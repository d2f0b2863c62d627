"""Packed weights as float32: the oracle of every fast path (decisions.md 4)."""

import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..weights.tensor import QuantizedTensor
from . import quants


def packed(weight: QuantizedTensor, device: torch.device | None = None) -> QuantizedTensor:
    """The same bytes as a torch tensor, on a device; on the host they are shared."""
    data = weight.data
    if isinstance(data, np.ndarray):
        with warnings.catch_warnings():  # torch warns that the file's pages are read-only, which is meant
            warnings.simplefilter("ignore", UserWarning)
            data = torch.from_numpy(data)
    return QuantizedTensor(data if device is None else data.to(device), weight.type, weight.shape, weight.name)


def dequantize(weight: QuantizedTensor) -> Tensor:
    """The weight as float32 [*shape], on its own device."""
    kind = quants.of(weight)
    blocks = packed(weight).data.reshape(-1, kind.BYTES)
    return kind.decode_torch(blocks).reshape(weight.shape)


def rows(weight: QuantizedTensor, ids: Sequence[int] | Tensor) -> Tensor:
    """ids [N] -> [N, in] float32: some rows of a packed matrix."""
    data = packed(weight).data
    index = torch.as_tensor(ids, dtype=torch.int64, device=data.device)
    return dequantize(
        QuantizedTensor(data.index_select(0, index), weight.type, (len(index), weight.shape[-1]), weight.name)
    )
