"""The order in which llama.cpp's hash tables (libstdc++) list their keys: it decides ties and the order in files."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)

SIZES = (
    13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229, 172933, 351061, 712697, 1447153,
    2938679, 5967347, 12117689, 24607243, 49969847, 101473717, 206062531, 418449457,
)  # fmt: skip
"""Bucket counts a table grows through: each is the first of libstdc++'s primes at least twice the one before."""


def table_order(keys: Sequence[K], hash_of: Callable[[K], int]) -> list[K]:
    """The keys, given in the order of insertion, in the order of iteration (speculation spec 3.6).

    A new key goes to the front of its bucket's run, or to the front of the whole list if the bucket is empty.
    Growth inserts the listed keys again, in list order, by the same rule.
    """
    if len(keys) < 2:
        return list(keys)
    hashes = [hash_of(key) for key in keys]
    listed: list[int] = []
    for size in SIZES:
        done = len(listed)
        listed = _fill(listed + list(range(done, min(size, len(keys)))), hashes, size)
        if len(listed) == len(keys):
            break
    return [keys[i] for i in listed]


def _fill(order: Sequence[int], hashes: Sequence[int], size: int) -> list[int]:
    """A table of `size` buckets after the insertion of `order`; its runs are contiguous and never split again."""
    runs: dict[int, list[int]] = {}
    for i in order:
        runs.setdefault(hashes[i] % size, []).append(i)
    # A bucket's run stands where its first key opened it, newest bucket first, and grows at its front.
    return [i for run in reversed(runs.values()) for i in reversed(run)]
