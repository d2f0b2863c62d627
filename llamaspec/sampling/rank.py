"""The order of tokens: highest logit first, and the lowest id among equals, on every device and at every width."""

import numpy as np

from ..arrays import Array, ascending, namespace, put

_NARROW, _WIDE, _BLOCK = 128, 4096, 64
"""On the host, narrow rows are sorted as a whole (one call instead of ten), and wide ones searched for the best among
the maxima of blocks first, which is five times faster than a partition. All ways give the same columns."""


def keys(values: Array, ids: Array | None = None) -> Array:
    """values [n, k] float32, ids [n, k] int64 (None: the column number) -> [n, k] int64, all different in a row.

    Descending keys are the order: the upper half grows with the value, the lower half falls with the id.
    """
    xp = namespace(values)
    bits = (values + 0.0).view(xp.int32)  # -0.0 becomes 0.0: they are equal
    bits = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # negative floats count downwards in two's complement
    column = ascending(values.shape[-1], values) if ids is None else ids
    return (xp.astype(bits, xp.int64) << 32) | (0xFFFFFFFF - column)


def first(values: Array, ids: Array | None = None) -> Array:
    """values [n, k], ids [n, k] (None: the column number) -> [n] int64: id of the highest value, lowest id on ties."""
    xp = namespace(values)
    if ids is None:
        return xp.argmax(values, axis=-1)
    best = xp.max(values, axis=-1, keepdims=True)
    return xp.min(xp.where(values == best, ids, xp.iinfo(xp.int64).max), axis=-1)


def top(values: Array, ids: Array | None, k: int) -> tuple[Array, Array]:
    """values [n, m], ids [n, m] (None: the column number) -> the k highest (values [n, k], ids [n, k]), best first."""
    xp, at = namespace(values), columns(values, ids, k)
    return xp.take_along_axis(values, at, axis=-1), at if ids is None else xp.take_along_axis(ids, at, axis=-1)


def columns(values: Array, ids: Array | None, k: int) -> Array:
    """values [n, m], ids [n, m] (None: the column number), k <= m -> [n, k] int64: the best columns, best first.

    Among -inf (and NaN) any columns may come, as these tokens are no choice.
    """
    if not isinstance(values, np.ndarray):
        return keys(values, ids).topk(k).indices  # the standard has no way to take the highest few
    width = values.shape[-1]
    if width <= _NARROW:
        order = (np.arange(width) if ids is None else ids), -values
        return np.lexsort(np.broadcast_arrays(*order))[:, :k]
    if ids is None and width >= max(_WIDE, 4 * _BLOCK * k):
        return _wide_columns(values, k)
    falling = -1 - keys(values, ids)  # ~keys, which cannot overflow
    if k == width:
        return np.argsort(falling, axis=-1)
    some = np.argpartition(falling, k - 1, axis=-1)[:, :k]
    return np.take_along_axis(some, np.argsort(np.take_along_axis(falling, some, -1), axis=-1), -1)


def only(values: Array, order: Array, keep: Array) -> Array:
    """values [n, m], order [n, k] columns, keep [n, k] bool -> [n, m]: -inf in all columns but those that are kept."""
    xp = namespace(values)
    mask = put(xp.zeros(values.shape, dtype=xp.bool, device=values.device), order, keep)
    return xp.where(mask, values, -xp.inf)


def _wide_columns(values: np.ndarray, k: int) -> np.ndarray:
    n, width = values.shape
    whole = width // _BLOCK * _BLOCK
    # A block is every (whole / 64)th value: the maximum of rows side by side is what processors are good at.
    maxima = values[:, :whole].reshape(n, _BLOCK, -1).max(1)
    # k blocks reach this floor, so the k best values do; hardly more than k values reach it.
    floors = np.partition(maxima, maxima.shape[-1] - k, axis=-1)[:, -k].tolist()
    return np.stack([_row_columns(row, floor, k) for row, floor in zip(values, floors, strict=True)])


def _row_columns(row: np.ndarray, floor: float, k: int) -> np.ndarray:
    near = np.flatnonzero(row >= floor if floor > -np.inf else row > -np.inf)
    best = near[np.argsort(-row[near], kind="stable")[:k]]
    if len(best) < k:
        best = np.concatenate([best, np.flatnonzero(~(row > -np.inf))[: k - len(best)]])
    return best
