"""A sequence that is being answered: what drafters may read, and what only the loop needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..drafting.drafter import Slot
from ..sampling.chain import Chain


@dataclass
class Running(Slot):
    """A slot with the end of its answer in view.

    n_prompt: tokens of the prompt. n_predict: tokens wanted, -1 = until the end. ends: ids that end the answer.
    """

    n_prompt: int = 0
    n_predict: int = -1
    ends: frozenset[int] = frozenset()

    def start(self, chain: Chain, seed: int, n_predict: int, ends: frozenset[int]) -> None:
        """A new answer to the tokens that stand here."""
        self.chain, self.seed, self.ends = chain, seed, ends
        self.state = chain.start(self.tokens)
        self.n_prompt, self.n_predict = len(self.tokens), n_predict

    @property
    def n_generated(self) -> int:
        """Tokens of the answer so far."""
        return len(self.tokens) - self.n_prompt

    def room(self, context: int) -> int:
        """How many draft tokens make sense now: all their rows fit the context, and none is beyond what is wanted."""
        room = context - len(self.tokens)
        return room if self.n_predict < 0 else min(room, self.n_predict - self.n_generated - 1)


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many leading tokens two sequences share."""
    low, high = 0, min(len(a), len(b))
    while low < high:  # bisection over slices compares in C
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
