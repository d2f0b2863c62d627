"""Drafting without the host: what a device has to know to repeat a drafter's work by itself."""

from dataclasses import dataclass

from .draft_model import DraftModel


@dataclass(frozen=True)
class ChainOnDevice:
    """Chains of always k tokens of a draft model, for one sequence. name: the drafter's.

    coupled: chosen with the target's chain and noise, else greedily.
    """

    name: str
    model: DraftModel
    k: int
    coupled: bool
