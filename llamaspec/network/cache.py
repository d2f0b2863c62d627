"""What the target remembers: keys and values per layer, provisional until they are committed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..kernels.held import row_width
from ..kernels.reference import KV_BLOCK


@dataclass(frozen=True)
class Dense:
    """Keys and values of one attention layer: k [S, K, C, head_k], v [S, K, C, head_v], or packed rows of bytes."""

    k: Tensor
    v: Tensor


def zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Zeros that take no memory on the CPU until they are written (calloc), so that a large context costs nothing."""
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    size = int(np.prod(shape)) * torch.empty((), dtype=dtype).element_size()
    return torch.from_numpy(np.zeros(size, np.uint8)).view(dtype).view(shape)


class Cache:
    """One store per attention layer, `slots` sequences of `context` cells each.

    The rows of a forward pass are written behind the committed cells: row i of a slot's pass lands in cell
    length + i. They are provisional: the next pass overwrites them unless `commit` keeps them. One more block of cells
    than the context holds takes the rows of a draft that overhang it, and padding rows, which nobody reads.
    """

    def __init__(self, stores: Sequence[Dense], context: int) -> None:
        self.stores = tuple(stores)
        self.context = context
        self.lengths = [0] * stores[0].k.shape[0]

    @classmethod
    def allocate(
        cls,
        layers: Sequence[tuple[int, int, int]],
        slots: int,
        context: int,
        types: tuple[torch.dtype, torch.dtype],
        device: torch.device,
    ) -> "Cache":
        """layers: (kv heads, key width, value width) of each. Blocks of 256 cells, one of them to spare.

        types: of keys and values; floats, or kernels.held.Q8_0, which raises LlamaspecError for widths that are not
        multiples of 32.
        """
        cells = (context + KV_BLOCK - 1) // KV_BLOCK * KV_BLOCK + KV_BLOCK
        return cls(
            [
                Dense(
                    *(
                        zeros((slots, heads, cells, row_width(width, dtype)), dtype, device)
                        for width, dtype in zip(widths, types, strict=True)
                    )
                )
                for heads, *widths in layers
            ],
            context,
        )

    @property
    def cells(self) -> int:
        """Cells per slot, the spare block included; the last one is where padding rows go."""
        return self.stores[0].k.shape[2]

    def commit(self, slot: int, path: Sequence[int]) -> None:
        """Keep these rows of the slot's last pass, in order: path is increasing, row 0 is the pass's first."""
        length = self.lengths[slot]
        if list(path) != list(range(len(path))):
            source = torch.tensor(path, device=self.stores[0].k.device) + length
            for store in self.stores:
                for held in (store.k, store.v):
                    held[slot, :, length : length + len(path)] = held[slot].index_select(1, source)
        self.lengths[slot] = length + len(path)

    def truncate(self, slot: int, length: int) -> int:
        """Forget all but the first `length` tokens; returns the length that is left."""
        self.lengths[slot] = min(length, self.lengths[slot])
        return self.lengths[slot]

    def copy(self, source: int, target: int, length: int) -> None:
        """The first `length` cells of one slot to another, which forgets what it had."""
        for store in self.stores:
            for held in (store.k, store.v):
                held[target, :, :length] = held[source, :, :length]
        self.lengths[target] = length
