"""What the drafters that ask a draft model share: which tokens it would choose, and how sure it is."""

from dataclasses import dataclass, field, replace
from typing import Self

from ...arrays import Array, namespace, quiet
from ...errors import LlamaspecError
from ...sampling import rank
from ...sampling.chain import Chain, State
from ...sampling.sampler import Rows
from ..draft_model import DraftModel
from ..drafter import Base, Slot
from ..knobs import Knobs, knob

CANDIDATES = 10
"""The reference's probabilities are a softmax over this many of the highest draft logits (speculation spec 1.10)."""


@dataclass(frozen=True)
class ModelParams(Knobs):
    """n_max, n_min: longest and shortest draft. p_min: a draft ends where the best of 10 candidates is less likely.

    keep_last: that token is still offered (llama.cpp's older rule). coupled: choose with the target's chain, state and
    noise; else greedily, as llama.cpp does.
    """

    flags = "--spec-draft"
    strictness = "p_min"
    n_max: int = knob(3, 0, 1024)
    n_min: int = knob(0, 0, 1024)
    p_min: float = knob(0.0, 0.0, 1.0)
    keep_last: bool = field(default=False, repr=False)
    coupled: bool = field(default=True, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ordered("n_min", "n_max")

    def like(self, compat: str) -> Self:
        """The rules of --spec-compat."""
        return replace(self, keep_last=compat == "old", coupled=compat == "own")


class ModelDrafter(Base):
    """A drafter whose guesses come from a draft model. It needs no `observe`: the model's cache follows the history."""

    needs_model = True

    def __init__(self, model: DraftModel) -> None:
        self.model = model

    def begin(self, slot: Slot) -> None:
        """The prompt may be any other: only what it shares with the cache stays."""
        self.model.edited(slot.id)

    def forget(self, slot: Slot) -> None:
        """Compare the history from its start again."""
        self.model.edited(slot.id)


def ranked(chain: Chain | None, logits: Array, rows: Rows, state: State | None, k: int) -> list[list[int]]:
    """logits [n, V] -> per row the k tokens that the target would choose first, were these its logits.

    Without a chain the highest logits. Fewer, or none, where fewer are left: a draft model's broken logits end drafts
    and nothing else.
    """
    try:
        if chain is not None:
            ids = chain.pick(logits, rows, state)[:, None] if k == 1 else chain.order(logits, rows, state, k)
        else:
            best, ids = rank.top(without_nan(logits), None, min(k, logits.shape[-1]))
            ids = namespace(ids).where(best == -float("inf"), -1, ids)
    except LlamaspecError:
        return [[] for _ in range(len(logits))]
    return [[token for token in row if token >= 0] for row in ids.tolist()]


def without_nan(logits: Array) -> Array:
    """logits [...] -> the same with -inf for NaN."""
    xp = namespace(logits)
    return xp.where(xp.isnan(logits), -xp.inf, logits)


def probabilities(logits: Array) -> list[dict[int, float]]:
    """logits [n, V] -> per row the probabilities of its 10 highest among themselves, best first."""
    xp = namespace(logits)
    best, ids = rank.top(logits, None, min(CANDIDATES, logits.shape[-1]))
    with quiet():
        weights = xp.exp(best - best[:, :1])
        shares = weights / xp.sum(weights, axis=-1, keepdims=True)
    shares = xp.where(xp.isnan(shares), 0.0, shares)
    return [dict(zip(row, share, strict=True)) for row, share in zip(ids.tolist(), shares.tolist(), strict=True)]
