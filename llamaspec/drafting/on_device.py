"""Drafting without the host: a drafter as a function of arrays, which a device can repeat by itself."""

from typing import Protocol

from ..arrays import Array
from ..kernels.device import Device
from ..sampling.chain import Chain
from .drafter import Slot


class DeviceDrafter(Protocol):
    """Chains of k tokens for one sequence, written by a function of fixed shape that never looks at data.

    name: the drafter's. capacity: tokens that a history may have, so that the host need not help. cells: of its cache,
    for the number of KV blocks. newest [2]: the last token but one, and the last. length [1]: tokens before the last
    one. seed []: of the noise. guesses [k]: the result. All are int64 on `device`.
    """

    name: str
    k: int
    device: Device
    newest: Array
    length: Array
    seed: Array
    guesses: Array

    @property
    def capacity(self) -> int: ...

    @property
    def cells(self) -> int: ...

    def enter(self, slot: Slot) -> None:
        """On the host, before the first draft: see all of slot.tokens but the last."""

    def draft(self, chain: Chain, blocks: int) -> None:
        """Fill `guesses`. blocks: KV blocks to visit."""
