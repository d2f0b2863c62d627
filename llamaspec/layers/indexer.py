"""The lightning indexer of DeepSeek V3.2: a small attention that chooses which positions the large one sees."""

from dataclasses import dataclass
from typing import Any

from ..kernels.protocol import Operations, Value
from ..kernels.records import Index
from .linear import Linear
from .norm import Norm

PLANE = 1
"""Of the layer's store, behind the latent keys."""


@dataclass
class Choice:
    """What an indexer chose, for layers behind it that see the same positions (GLM-5)."""

    positions: Value = None


@dataclass(frozen=True)
class SharedChoice:
    """Stands for the indexer of a layer that has none: what the one before it chose in this pass."""

    choice: Choice

    def __call__(self, x: Value, low: Value, ops: Operations) -> Value:
        """-> the positions that rows see."""
        return self.choice.positions


@dataclass(frozen=True)
class LightningIndexer:
    """q: from the low rank of the large attention's queries; k, weights: from the rows. norm: of k.

    choice: where the result is left as well.
    """

    q: Linear
    k: Linear
    norm: Norm
    weights: Linear
    rotation: Any
    how: Index
    store: int
    choice: Choice

    def __call__(self, x: Value, low: Value, ops: Operations) -> Value:
        """x [N, D], low [N, q_rank] -> the positions that rows see."""
        q = ops.rotate(self.q(low, ops), self.rotation, self.how.heads)
        k = ops.rotate(self.norm(self.k(x, ops), ops), self.rotation, 1)
        ops.append(self.store, PLANE, k, 1)
        self.choice.positions = ops.index(self.store, PLANE, q, self.weights(x, ops), self.how)
        return self.choice.positions
