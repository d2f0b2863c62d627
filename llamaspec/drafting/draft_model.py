"""A draft model that keeps in step with the sequences it guesses for, for any number of drafters."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..arrays import Array, namespace
from ..errors import LlamaspecError
from ..network.runner import Branch, Runner
from .drafter import Slot


@dataclass
class CacheMirror:
    """What the draft model's cache holds of a slot.

    tokens: one per committed cell. start: where in the history they begin. agreed: leading ones known to equal the
    history's. tree, parents: rows of the last pass behind them that may still be committed, row 0 = tree[0].
    """

    tokens: list[int] = field(default_factory=list)
    start: int = 0
    agreed: int = 0
    tree: tuple[int, ...] = ()
    parents: tuple[int, ...] = ()


class DraftModel:
    """A model whose cache is "a cache of the same history" (speculation spec 2), for any number of drafters.

    Before each draft the cache is brought in step with the slot: the longest common prefix stays, the rest is decoded.
    That one rule covers accepted drafts, rejected ones, other drafters' turns and edited histories.

    n_vocab: of the histories' tokens. Ids that the draft model lacks are read as `stand_in`, and nothing is guessed
    right behind one; ids that only the draft model has are never drafted. longest: the longest draft.
    A history longer than the context is seen through a window that moves in jumps of half the context, so that most
    steps find their cache; the history's first token stays in front, since many models lean on it.
    """

    def __init__(self, runner: Runner, n_vocab: int, longest: int, stand_in: int = 0) -> None:
        self.runner, self.n_vocab = runner, n_vocab
        self.known = runner.model.hparams.n_vocab
        self.stand_in = min(stand_in, self.known - 1)
        self.longest = longest
        self.mirrors: dict[int, CacheMirror] = {}

    @property
    def capacity(self) -> int:
        """Tokens of a history that leave room for the longest draft."""
        return self.runner.cache.context - min(self.longest, self.runner.cache.context // 2)

    def edited(self, slot: int, at: int = 0) -> None:
        """Tokens of the slot from `at` on may have changed; the ones before have not."""
        mirror = self.mirror(slot)
        mirror.agreed = min(mirror.agreed, max(0, at - mirror.start))
        mirror.tree = ()

    def mirror(self, slot: int) -> CacheMirror:
        """Of one slot. Raises LlamaspecError when the cache has no room for that many sequences."""
        if slot >= len(self.runner.cache.lengths):
            raise LlamaspecError(f"the draft model has {len(self.runner.cache.lengths)} slots, none of number {slot}")
        return self.mirrors.setdefault(slot, CacheMirror())

    def room(self, slot: Slot) -> int:
        """The most tokens that can be guessed after slot.tokens; 0 = the draft model has nothing to go by."""
        if not slot.tokens or not 0 <= slot.tokens[-1] < self.known:
            return 0
        seen = len(slot.tokens) - self.start(len(slot.tokens))
        room = self.runner.cache.context - seen + 1
        return min(room, slot.limit) if slot.limit > 0 else room

    def start(self, length: int) -> int:
        """Where the window of a history of this many tokens begins."""
        jump = max(1, self.capacity // 2)
        return 0 if length <= self.capacity else -(-(length - self.capacity) // jump) * jump

    def seen(self, tokens: Sequence[int], begin: int = 0, end: int | None = None) -> list[int]:
        """What stands at places begin:end of the window, in the draft model's ids."""
        start = self.start(len(tokens))
        part = list(tokens[start + begin : None if end is None else start + end])
        if start and begin == 0 and len(tokens) - start > 1 and part:
            part[0] = tokens[0]
        return [token if 0 <= token < self.known else self.stand_in for token in part]

    def follow(self, slot: Slot) -> CacheMirror:
        """Bring the cache in step with all but the last of slot.tokens, which are at least one."""
        mirror, tokens = self.mirror(slot.id), slot.tokens
        start = self.start(len(tokens))
        last = len(tokens) - start - 1
        if start != mirror.start or last < mirror.agreed:  # the window moved, or nobody said that the history shrank
            mirror.start, mirror.agreed, mirror.tree = start, 0, ()
        self._keep_branch(slot, mirror)
        same = _common(mirror.tokens[mirror.agreed :], self.seen(tokens, mirror.agreed, last))
        kept = self.runner.cache.truncate(slot.id, mirror.agreed + same)  # perhaps less than was asked
        missing = self.seen(tokens, kept, last)
        for _ in self.runner.read(slot.id, missing):
            pass
        mirror.tokens[kept:] = missing
        mirror.agreed, mirror.tree = last, ()
        return mirror

    def _keep_branch(self, slot: Slot, mirror: CacheMirror) -> None:
        """Commit the rows of the last tree that became history."""
        if not mirror.tree or len(mirror.tokens) != mirror.agreed:
            return
        after = self.seen(slot.tokens, mirror.agreed, len(slot.tokens) - mirror.start - 1)
        children = {(parent, token): node for node, (parent, token) in enumerate(
            zip(mirror.parents, mirror.tree[1:], strict=True)
        )}  # fmt: skip
        if after[:1] != [mirror.tree[0]]:
            return
        rows, node = [0], -1
        for token in after[1:]:
            node = children.get((node, token), -1)
            if node < 0:
                break
            rows.append(node + 1)
        self.runner.cache.commit(slot.id, rows)
        mirror.tokens += after[: len(rows)]
        mirror.agreed = len(mirror.tokens)

    def read_on_device(self, slot: Slot) -> None:
        """The device has read slot.tokens but the last two, whose cells it may not have written yet."""
        mirror, known = self.mirror(slot.id), max(0, len(slot.tokens) - 2)
        new = slot.tokens[len(mirror.tokens) : known]
        self.runner.cache.commit(slot.id, range(len(new)))
        mirror.tokens += new
        mirror.agreed, mirror.tree = len(mirror.tokens), ()

    def extend(self, slots: Sequence[Slot], tokens: Sequence[int]) -> list[Array]:
        """Decode and keep one token more of each slot -> logits [n_vocab] after it."""
        if not slots:
            return []
        outputs = self.runner.decode([Branch(slot.id, [token]) for slot, token in zip(slots, tokens, strict=True)])
        for slot, token in zip(slots, tokens, strict=True):
            self.runner.cache.commit(slot.id, [0])
            self.mirror(slot.id).tokens.append(token)
        return [self.fit(output.logits[-1]) for output in outputs]

    def branch(self, branches: Sequence[Branch]) -> list[Array]:
        """Decode trees without keeping them yet -> logits [rows, n_vocab] of each; row 0 is the slot's last token."""
        outputs = self.runner.decode(branches)
        for branch in branches:
            mirror = self.mirror(branch.slot)
            mirror.tree, mirror.parents = tuple(branch.tokens), tuple(branch.parents)
        return [self.fit(output.logits) for output in outputs]

    def fit(self, logits: Array) -> Array:
        """logits [..., V_draft] -> [..., n_vocab]: ids that the histories cannot hold are cut, missing ones are out."""
        short = self.n_vocab - logits.shape[-1]
        if short <= 0:
            return logits[..., : self.n_vocab]
        xp = namespace(logits)
        missing = xp.full((*logits.shape[:-1], short), -xp.inf, dtype=logits.dtype, device=logits.device)
        return xp.concat([logits, missing], axis=-1)


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many leading tokens two sequences share."""
    for place, (left, right) in enumerate(zip(a, b, strict=False)):
        if left != right:
            return place
    return min(len(a), len(b))
