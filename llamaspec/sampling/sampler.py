"""What every sampler on the shelf is: a function that masks or scales logits, and never draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """What a sampler may know about the rows of a logits matrix.

    positions: [n] int64, tokens before the sampled one, prompt included (the n of the noise). seed: of the noise.
    attempt: 0, or the number of times this answer was regenerated (decisions.md, Noise).
    ids: [n, k] int64 token id of each column, None = column number (the full vocabulary).
    """

    positions: "Tensor"
    seed: int
    attempt: int = 0
    ids: "Tensor | None" = None


class Sampler(Protocol):
    """One step of the chain. A stateful one keeps an immutable state per sequence; others get None."""

    name: str
    """The name after --samplers: "top_k"."""
    letter: str
    """The letter in --sampler-seq: "k"; "" if it has none."""
    stateless: bool

    def apply(self, logits: "Tensor", rows: Rows, state: Any = None) -> "Tensor":
        """logits [n, V] -> [n, V]: scaled, or -inf where ruled out. A stateful sampler's state holds for all rows."""
        ...

    def start(self, prompt: Sequence[int]) -> Any:
        """The state after the prompt; None for stateless samplers."""

    def advance(self, state: Any, token: int, logits: "Tensor | None" = None) -> Any:
        """The state after `token` was chosen; logits [V]: what `apply` returned for the row it was chosen from."""
