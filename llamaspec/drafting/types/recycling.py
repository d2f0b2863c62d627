"""recycling: a tree grown from the tokens that the target itself held likely after each token."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from ..context import DrafterContext
from ..draft import Draft
from ..drafter import Base, Kept, Slot
from ..knobs import Knobs, knob

BREADTH = 8
"""Candidates kept per token."""
SHARES = (0.45, 0.14, 0.08, 0.05, 0.04, 0.03, 0.02, 0.02)
"""How often the candidate of each rank is the next token, roughly: it shapes the tree and nothing else."""


@dataclass(frozen=True)
class Params(Knobs):
    """n_max: nodes of the tree; 15 and the last token make one pass of 16 rows. depth: its levels."""

    flags = "--spec-recycling"
    length = "depth"
    n_max: int = knob(15, 1, 63)
    depth: int = knob(6, 1, 63)


def template(n_max: int, depth: int) -> tuple[tuple[int, int], ...]:
    """(parent, rank) of the n_max nodes with the highest product of shares, best first; parent -1 = the last token."""
    nodes: list[tuple[int, int]] = []
    waiting = [(-share, 1, -1, rank) for rank, share in enumerate(SHARES)]
    heapq.heapify(waiting)
    while waiting and len(nodes) < n_max:
        score, level, parent, rank = heapq.heappop(waiting)
        nodes.append((parent, rank))
        if level < depth:
            for below, share in enumerate(SHARES):
                heapq.heappush(waiting, (score * share, level + 1, len(nodes) - 1, below))
    return tuple(nodes)


class Drafter(Base):
    """Token recycling (Luo et al. 2024): a table from each token to the target's candidates after it, newest row kept.

    The draft is a fixed tree filled from the table, breadth where the ranks are likely, depth along the first ones.
    Text whose candidates are unknown (a prompt evaluated without logits) teaches the token that really followed.
    The table is shared by all sequences and outlives them.
    """

    name = "recycling"
    order = 70
    top = BREADTH

    def __init__(self, params: Params | None = None) -> None:
        self.params: Params = params or Params()
        self.n_max = self.params.n_max
        self._template = template(self.params.n_max, self.params.depth)
        self._table: dict[int, list[int]] = {}
        self._before: dict[int, int] = {}  # slot -> the token observed last

    def begin(self, slot: Slot) -> None:
        """The table stays."""
        self._before.pop(slot.id, None)

    def forget(self, slot: Slot) -> None:
        """The table stays."""
        self._before.pop(slot.id, None)

    def observe(self, slot: Slot, rows: Kept) -> None:
        """Learns the candidates of each row, or the followers where there are none."""
        before = self._before.get(slot.id)
        text = rows.tokens if before is None else [before, *rows.tokens]
        known = [] if rows.top is None else rows.top.tolist()
        guessed = len(rows.tokens) - len(known)  # leading rows without candidates
        for token, following in zip(text, text[1:] if guessed else (), strict=False):
            self._follow(token, following)
        for token, best in zip(rows.tokens[guessed:], known, strict=True):
            self._table[token] = best[:BREADTH]
        if rows.tokens:
            self._before[slot.id] = rows.tokens[-1]

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """A tree per slot."""
        return [self._tree(slot.tokens[-1]) if slot.tokens else Draft() for slot in slots]

    def _tree(self, root: int) -> Draft:
        table = self._table
        tokens: list[int] = []
        parents: list[int] = []
        placed: list[int] = []  # template node -> node of the draft, -1 = the table has no such candidate
        for parent, rank in self._template:
            above = -1 if parent < 0 else placed[parent]
            if parent >= 0 and above < 0:
                placed.append(-1)
                continue
            row = table.get(root if parent < 0 else tokens[above])
            if row is None or rank >= len(row):
                placed.append(-1)
                continue
            placed.append(len(tokens))
            tokens.append(row[rank])
            parents.append(above)
        return Draft(tuple(tokens), tuple(parents), self.name)

    def _follow(self, token: int, following: int) -> None:
        """`following` came after `token`: it is the best candidate now."""
        row = self._table.setdefault(token, [])
        if following in row:
            row.remove(following)
        row.insert(0, following)
        del row[BREADTH:]


def build(context: DrafterContext, params: Params) -> Drafter:
    """From the target's own candidates."""
    return Drafter(params)
