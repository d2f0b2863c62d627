"""What a drafter guesses (a tree of tokens) and what the target makes of it (a path through the tree)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Draft:
    """Guesses for the tokens after the last one of a sequence.

    parents[i] < i is the node that token i continues; -1 = the sequence's last token. A chain is a thin tree.
    by: which drafter wrote it (the printed name, such as "ngram-mod"). probs: the drafter's own
    probability per token, when it has one.
    """

    tokens: tuple[int, ...] = ()
    parents: tuple[int, ...] = ()
    by: str = ""
    probs: tuple[float, ...] | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def chain(cls, tokens: Sequence[int], by: str = "", probs: tuple[float, ...] | None = None) -> "Draft":
        """A draft without branches."""
        return cls(tuple(tokens), tuple(range(-1, len(tokens) - 1)), by, probs)

    @property
    def is_chain(self) -> bool:
        """Whether every node continues the one before it."""
        return self.parents == tuple(range(-1, len(self.tokens) - 1))

    def depths(self) -> tuple[int, ...]:
        """Distance of each node from the sequence's last token: 1 for its children."""
        depths: list[int] = []
        for parent in self.parents:
            depths.append(1 if parent < 0 else depths[parent] + 1)
        return tuple(depths)

    def cut(self, limit: int) -> "Draft":
        """The first `limit` nodes (parents come before children, so this is a tree again)."""
        if limit >= len(self.tokens):
            return self
        probs = None if self.probs is None else self.probs[:limit]
        return Draft(self.tokens[:limit], self.parents[:limit], self.by, probs)


@dataclass(frozen=True)
class Verdict:
    """kept: the draft nodes that agree with the target, root to leaf. tokens: what the sequence gains, kept + 1."""

    kept: tuple[int, ...]
    tokens: tuple[int, ...]
