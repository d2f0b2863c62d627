"""draft-tree: the likely branches of a draft model's guesses, verified by the target in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...arrays import Array, like
from ...network.runner import Branch
from ...sampling.sampler import Rows
from ..context import DrafterContext
from ..draft import Draft
from ..draft_model import DraftModel
from ..drafter import Slot
from ..knobs import knob
from ..translate import Translated
from ._model_draft import CANDIDATES, ModelDrafter, ModelParams, probabilities, ranked


@dataclass(frozen=True)
class Params(ModelParams):
    """Lengths are levels here. nodes: of the whole tree; 15 and the last token make one pass of 16 rows.

    p_split: a second, third ... child must be more likely than this among the 10 highest draft logits.
    """

    p_split: float = knob(0.1, 0.0, 1.0)
    nodes: int = knob(15, 1, 63, flag="--spec-draft-tree-nodes")


class Drafter(ModelDrafter):
    """Trees of a draft model: p-split branches (speculation spec 3.11) without that tool's bias.

    Every level decodes the whole tree so far in one pass; its rows stay in the draft's cache until the target has
    spoken, and the branch that became history is kept. The chain that draft-simple would write is always in the tree,
    so that at equal depth no draft is worse; the other nodes are those with the highest product of probabilities.
    """

    name = "draft-tree"
    order = 120

    def __init__(self, model: DraftModel, params: Params | None = None) -> None:
        super().__init__(model)
        self.params: Params = params or Params()
        self.n_max = self.params.nodes

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """Trees of at most n_max levels; every level is one pass over the trees of all slots."""
        most = self.model.runner.cache.draft_rows
        growing = [_Growing(slot, min(self.model.room(slot), most), self.params) for slot in slots]
        live = [tree for tree in growing if tree.goes_on]
        for tree in live:
            self.model.follow(tree.slot)
        while live:
            for tree, logits in zip(live, self.model.branch([tree.branch for tree in live]), strict=True):
                tree.grow(logits)
            live = [tree for tree in live if tree.goes_on]
        return [self._draft(tree) for tree in growing]

    def _draft(self, tree: "_Growing") -> Draft:
        if tree.level < self.params.n_min:
            return Draft()
        return Draft(tuple(tree.tokens), tuple(tree.parents), self.name)


def build(context: DrafterContext, params: Params) -> Drafter | Translated:
    """Trees of the draft model of -md."""
    return context.translated(Drafter(context.draft_model(params.n_max), params.like(context.compat)))


@dataclass(frozen=True)
class _Child:
    """A node to be: parent -1 = the sequence's last token. weight: product of probabilities down to it."""

    parent: int
    token: int
    weight: float
    main: bool
    sure: bool


class _Growing:
    """A tree in the making. Per node: token, parent, weight, and the sampler state after it."""

    def __init__(self, slot: Slot, room: int, params: Params) -> None:
        self.slot, self.params = slot, params
        self.chain = slot.chain if params.coupled else None
        self.nodes = min(params.nodes, room)
        self.depth = min(params.n_max, self.nodes)
        self.tokens: list[int] = []
        self.parents: list[int] = []
        self.weights: list[float] = []
        self.states: list = []
        self.main = -1
        self.level = 0
        self.frontier = [-1] if self.depth > 0 else []

    @property
    def goes_on(self) -> bool:
        """Whether a further level is wanted."""
        return bool(self.frontier) and self.level < self.depth

    @property
    def branch(self) -> Branch:
        """The tree so far, for a pass of the draft model."""
        return Branch(self.slot.id, (self.slot.tokens[-1], *self.tokens), tuple(self.parents))

    def grow(self, logits: Array) -> None:
        """logits [1 + nodes, V]: add the best children of the newest level, as far as the budget goes."""
        rows = logits[[node + 1 for node in self.frontier]]
        shares = probabilities(rows)
        found = [
            child
            for node, order, likely in zip(self.frontier, self._orders(rows), shares, strict=True)
            for child in self._children(node, order, likely)
        ]
        found.sort(key=lambda child: (not child.main, -child.weight))
        levels_below = self.depth - self.level - 1  # the main chain needs a node on each
        found = found[: max(1, self.nodes - len(self.tokens) - levels_below)]
        source = dict(zip(self.frontier, rows, strict=True))
        self.frontier = []
        for child in found:
            self._add(child, source[child.parent])
        self.level += bool(found)

    def _add(self, child: _Child, row: Array) -> None:
        node = len(self.tokens)
        self.states.append(self._after(child, row))
        self.tokens.append(child.token)
        self.parents.append(child.parent)
        self.weights.append(child.weight)
        if child.main:
            self.main = node
        if child.sure:
            self.frontier.append(node)

    def _children(self, node: int, order: Sequence[int], likely: dict[int, float]) -> list[_Child]:
        """The first of the order, then the next ones while they are likelier than p_split."""
        params, above = self.params, 1.0 if node < 0 else self.weights[node]
        sure = params.p_min <= 0 or next(iter(likely.values())) >= params.p_min
        if not sure:
            order = order[:1] if params.keep_last else ()
        kept = list(order[:1])
        for token in order[1:]:
            if likely.get(token, 0.0) <= params.p_split:
                break
            kept.append(token)
        weights = [likely.get(token, 0.0) for token in kept]
        if weights:
            weights[0] = max(weights)  # chosen with the target's own noise: no sibling is likelier
        return [
            _Child(node, token, above * weight, not place and node == self.main, sure)
            for place, (token, weight) in enumerate(zip(kept, weights, strict=True))
        ]

    def _orders(self, rows: Array) -> list[list[int]]:
        """rows [n, V] of the newest level -> the tokens that may follow each, best first."""
        position = len(self.slot.tokens) + self.level
        if self.chain is None or self.chain.stateless:
            positions = like([position] * len(rows), rows)
            return ranked(self.chain, rows, Rows(positions, self.slot.seed), self.slot.state, CANDIDATES)
        one = Rows(like([position], rows), self.slot.seed)
        return [
            ranked(self.chain, rows[i : i + 1], one, self._state(node), CANDIDATES)[0]
            for i, node in enumerate(self.frontier)
        ]

    def _state(self, node: int) -> tuple | None:
        return self.slot.state if node < 0 else self.states[node]

    def _after(self, child: _Child, row: Array) -> tuple | None:
        """The sampler state behind a node."""
        before = self._state(child.parent)
        if self.chain is None or before is None:
            return before
        rows = Rows(like([len(self.slot.tokens) + self.level], row), self.slot.seed)
        return self.chain.advance(before, child.token, row, rows)
