"""Acceptance by decree: benchmark what drafts of a given quality would be worth. The output is not valid text."""

import random
from collections.abc import Collection, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

from ..arrays import Array, like
from ..errors import UsageError
from ..sampling.sampler import Rows
from .draft import Draft, Verdict
from .drafter import Slot

HALVINGS = 32


def rates_for_length(length: float, n_max: int) -> tuple[float, ...]:
    """Rates p, p^2, … p^n_max whose sum is length - 1: the mean number of tokens per step, 1 to n_max + 1.

    Raises UsageError outside that range (speculation spec 1.12).
    """
    if not isfinite(length) or not 1 <= length <= n_max + 1:
        raise UsageError(f"--spec-synth-len {length} is outside 1 to {n_max + 1}", hint="it is tokens per step")
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if sum(middle**i for i in range(1, n_max + 1)) < length - 1:
            low = middle
        else:
            high = middle
    p = 1.0 if length == n_max + 1 else 0.0 if length == 1 else (low + high) / 2
    return tuple(p**i for i in range(1, n_max + 1))


def checked_rates(rates: Sequence[float], n_max: int) -> tuple[float, ...]:
    """Rates as given: entry i is the probability that the first i + 1 draft tokens are all accepted.

    Raises UsageError unless there are n_max of them, in [0, 1], never rising.
    """
    if len(rates) != n_max:
        raise UsageError(f"--spec-synth-rates has {len(rates)} values, drafts have {n_max} tokens")
    if any(not 0 <= rate <= 1 for rate in rates) or any(b > a for a, b in pairwise(rates)):
        raise UsageError("--spec-synth-rates must lie between 0 and 1 and never rise")
    return tuple(rates)


class Synthetic:
    """Stands in for `drafting.verify.verify`: accepts draft tokens by chance, whatever the target says.

    The target's sampler runs all the same, so that a step costs what a real one costs. Along a tree the first child
    of each node is taken. Repeatable: the chance depends on the slot's seed and the order of calls.
    """

    def __init__(self, rates: Sequence[float]) -> None:
        before = [1.0, *rates[:-1]]
        self.chances = [rate / base if base > 0 else 0.0 for rate, base in zip(rates, before, strict=True)]
        self._dice: dict[int, random.Random] = {}

    def __call__(self, draft: Draft, logits: Array, slot: Slot, ends: Collection[int] = ()) -> tuple[Verdict, Any]:
        """As verify."""
        assert slot.chain is not None
        dice = self._dice.setdefault(slot.id, random.Random(slot.seed))
        children: dict[int, int] = {}
        for child, parent in enumerate(draft.parents):
            children.setdefault(parent, child)
        node, state = -1, slot.state
        kept: list[int] = []
        tokens: list[int] = []
        while True:
            row = logits[node + 1 : node + 2]
            rows = Rows(like([len(slot.tokens) + len(kept)], logits), slot.seed)
            token = int(slot.chain.choose(row, rows, state)[0])
            child = children.get(node, -1)
            chance = self.chances[len(kept)] if len(kept) < len(self.chances) else 0.0
            accepted = child >= 0 and dice.random() < chance and draft.tokens[child] not in ends
            token = draft.tokens[child] if accepted else token
            state = slot.chain.advance(state, token, row[0], rows)
            tokens.append(token)
            if not accepted:
                return Verdict(tuple(kept), tuple(tokens)), state
            kept.append(child)
            node = child
