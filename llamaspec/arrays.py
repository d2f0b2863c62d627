"""Arrays of the host (numpy) and of a device (torch), handled by the same code: the array API standard.

Everything that a CPU computes ends in numpy arrays, whatever back end made them; on a GPU it stays in torch tensors.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from types import ModuleType

Array = Any
"""A numpy array or a torch tensor."""


def quiet() -> np.errstate:
    """Around arithmetic on rows that may hold NaN or infinity, which is looked for in its results."""
    return np.errstate(all="ignore")


def namespace(x: Array) -> "ModuleType":
    """The functions of the standard for the array's library. torch is not imported for a numpy array."""
    if isinstance(x, np.ndarray):
        return np
    from array_api_compat import array_namespace

    return array_namespace(x)


def like(values: Any, x: Array, dtype: str = "int64") -> Array:
    """values as an array of x's library, on its device."""
    xp = namespace(x)
    return xp.asarray(values, dtype=getattr(xp, dtype), device=x.device)


def put(x: Array, columns: Array, values: Array) -> Array:
    """x [n, V], columns [n, k] int64, values [n, k] -> x with these values in these columns of each row."""
    xp = namespace(x)
    changed = xp.asarray(x, copy=True)
    changed[ascending(x.shape[0], x)[:, None], columns] = values
    return changed


def double(x: Array) -> Array:
    """x [...] -> the same as float64."""
    xp = namespace(x)
    return xp.astype(x, xp.float64)


def concat(parts: Sequence[Array]) -> Array:
    """[n_i, ...] of each -> [sum of n_i, ...]."""
    return parts[0] if len(parts) == 1 else namespace(parts[0]).concat(list(parts))


def ascending(n: int, x: Array) -> Array:
    """0, 1, ... n - 1 as int64, where x is."""
    xp = namespace(x)
    return xp.arange(n, dtype=xp.int64, device=x.device)
