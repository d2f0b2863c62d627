"""What every sampler on the shelf is: a function that masks or scales logits, and never draws."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..arrays import Array

if TYPE_CHECKING:
    from .params import SamplerParams


@dataclass(frozen=True)
class Rows:
    """What a sampler may know about the rows of a logits matrix.

    positions: [n] int64, tokens before the sampled one, prompt included (the n of the noise). seed: of the noise,
    one or [n] int64. attempt: 0, or the number of times this answer was regenerated (decisions.md, Noise).
    ids: [n, k] int64 token id of each column, None = column number (the full vocabulary).
    """

    positions: Array
    seed: int | Array
    attempt: int | Array = 0
    ids: Array | None = None


class Vocab(Protocol):
    """What DRY and infill ask about the tokens (text.tokenizer.Tokenizer fits)."""

    @property
    def n_vocab(self) -> int: ...

    @property
    def eog(self) -> Collection[int]: ...

    def piece(self, token: int, special: bool = False) -> bytes: ...

    def encode(self, text: str, add_special: bool = True, parse_special: bool = True) -> Sequence[int]: ...


class Sampler(Protocol):
    """One step of the chain. A stateful one keeps an immutable state per sequence; others get None.

    A sampler sees the full vocabulary, or the columns that top_k left (`rows.ids`); its answer for a token must not
    depend on which, nor on the order of the columns.
    """

    name: str
    """The name after --samplers: "top_k"."""
    letter: str
    """The letter in --sampler-seq: "k"; "" if it has none."""
    stateless: bool
    keeps_best: bool
    """The highest logit always survives, unscaled: without effect before --temp 0."""
    needs_logits: bool
    """`advance` wants the logits that the token was chosen from."""

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """The sampler these parameters ask for; None when they are neutral."""
        ...

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]: scaled, or -inf where ruled out. A stateful sampler's state holds for all rows."""
        ...

    def start(self, prompt: Sequence[int]) -> Any:
        """The state after the prompt; None for stateless samplers."""

    def advance(self, state: Any, token: int, logits: Array | None = None) -> Any:
        """The state after `token` was chosen; logits [V]: what `apply` was given for the row it was chosen from."""


@runtime_checkable
class Narrowing(Protocol):
    """A sampler that leaves a fixed number of columns."""

    def narrow(self, logits: Array, rows: Rows) -> tuple[Array, Rows]:
        """logits [n, V] -> [n, k] and rows whose ids say which tokens these are."""
        ...


class Stateless:
    """What samplers without memory share."""

    stateless = True
    keeps_best = False
    needs_logits = False

    def start(self, prompt: Sequence[int]) -> None:
        """None."""

    def advance(self, state: None, token: int, logits: Array | None = None) -> None:
        """None."""
