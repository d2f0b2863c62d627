"""The order of tokens: highest logit first, and the lowest id among equals, on every device and at every width."""

import numpy as np
import torch
from torch import Tensor

_NARROW, _WIDE, _BLOCK = 128, 4096, 64
"""On the CPU, narrow rows are sorted as a whole (one call instead of ten), and wide ones searched for the best among
the maxima of blocks first, which is five times faster than topk. All ways give the same columns."""


def keys(values: Tensor, ids: "Tensor | None" = None) -> Tensor:
    """values [n, k] float32, ids [n, k] int64 (None: the column number) -> [n, k] int64, all different in a row.

    Descending keys are the order: the upper half grows with the value, the lower half falls with the id.
    """
    bits = (values + 0.0).view(torch.int32)  # -0.0 becomes 0.0: they are equal
    bits = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # negative floats count downwards in two's complement
    column = torch.arange(values.shape[-1], device=values.device) if ids is None else ids
    return (bits.long() << 32) | (0xFFFFFFFF - column)


def first(values: Tensor, ids: "Tensor | None" = None) -> Tensor:
    """values [n, k], ids [n, k] (None: the column number) -> [n] int64: id of the highest value, lowest id on ties."""
    if ids is None:
        if values.device.type == "cpu":  # numpy's is 10 times faster than torch's; both return the first
            return torch.from_numpy(values.numpy().argmax(-1))
        return values.argmax(-1)
    best = values.amax(-1, keepdim=True)
    return torch.where(values == best, ids, torch.iinfo(torch.int64).max).amin(-1)


def top(values: Tensor, ids: "Tensor | None", k: int) -> tuple[Tensor, Tensor]:
    """values [n, m], ids [n, m] (None: the column number) -> the k highest (values [n, k], ids [n, k]), best first."""
    at = columns(values, ids, k)
    return values.gather(-1, at), at if ids is None else ids.gather(-1, at)


def columns(values: Tensor, ids: "Tensor | None", k: int) -> Tensor:
    """values [n, m], ids [n, m] (None: the column number), k <= m -> [n, k] int64: the best columns, best first.

    Among -inf (and NaN) any columns may come, as these tokens are no choice.
    """
    width = values.shape[-1]
    if values.device.type == "cpu":
        if width <= _NARROW:
            order = (np.arange(width) if ids is None else ids.numpy()), -values.numpy()
            return torch.from_numpy(np.lexsort(np.broadcast_arrays(*order))[:, :k])
        if ids is None and width >= max(_WIDE, 4 * _BLOCK * k):
            return _wide_columns(values, k)
    return keys(values, ids).topk(k).indices


def _wide_columns(values: Tensor, k: int) -> Tensor:
    whole = values.shape[-1] // _BLOCK * _BLOCK
    maxima = values[:, :whole].unflatten(-1, (-1, _BLOCK)).amax(-1)
    # k blocks reach this floor, so the k best values do; hardly more than k values reach it.
    floors = maxima.topk(k, sorted=False).values.amin(-1).tolist()
    picked = [_row_columns(row, floor, k) for row, floor in zip(values.numpy(), floors, strict=True)]
    return torch.from_numpy(np.stack(picked))


def _row_columns(row: np.ndarray, floor: float, k: int) -> np.ndarray:
    near = np.flatnonzero(row >= floor if floor > -np.inf else row > -np.inf)
    best = near[np.argsort(-row[near], kind="stable")[:k]]
    if len(best) < k:
        best = np.concatenate([best, np.flatnonzero(~(row > -np.inf))[: k - len(best)]])
    return best
