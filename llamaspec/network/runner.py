"""Batches prompt chunks and draft trees into forward passes, padded or split so that a row's bits stay the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..arrays import Array, concat
from ..kernels.protocol import KV_BLOCK, Batch, KVIndex, Output
from .cache import Cache
from .decoder import Model

PADDING = -1
"""The cell of rows that nobody reads."""


@dataclass(frozen=True)
class Branch:
    """A slot's rows for one decode pass: its last token, then a tree of guesses (parents: -1 = the last token).

    known: parents of guesses that an earlier pass evaluated and nobody has committed or dropped; then `tokens` are new
    guesses only, with a parent each, and nodes are numbered through. wanted: which of the new rows need logits, None =
    all.
    """

    slot: int
    tokens: Sequence[int]
    parents: Sequence[int] = ()
    known: Sequence[int] | None = None
    wanted: Sequence[int] | None = None

    @property
    def behind(self) -> int:
        """Provisional rows before the first new one."""
        return 0 if self.known is None else 1 + len(self.known)

    def ancestry(self) -> list[list[int]]:
        """For each new row the rows on its path, itself included, from row 0 on."""
        paths = [[0]]
        for node, parent in enumerate([*(self.known or ()), *self.parents]):
            paths.append([*paths[parent + 1], node + 1])
        return paths[self.behind :]


@dataclass
class Rows:
    """Rows of one or several passes, a column each; see kernels.protocol.Batch."""

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    paths: list[list[int]] = field(default_factory=list)
    wanted: list[int] = field(default_factory=list)

    def chain(self, slot: int, tokens: Sequence[int], length: int, wanted: bool) -> None:
        """Tokens behind `length` committed ones."""
        n, places = len(tokens), range(length, length + len(tokens))
        self.wanted += range(len(self.tokens), len(self.tokens) + n) if wanted else ()
        self.tokens += tokens
        self.positions += places
        self.cells += places
        self.slots += [slot] * n
        self.lengths += [length] * n

    def tree(self, branch: Branch, length: int) -> None:
        """A branch behind `length` committed tokens."""
        ancestry, first = branch.ancestry(), len(self.tokens)
        chosen = range(len(ancestry)) if branch.wanted is None else branch.wanted
        self.wanted += [first + row for row in chosen]
        self.tokens += branch.tokens
        self.positions += [length + len(path) - 1 for path in ancestry]
        self.cells += [length + path[-1] for path in ancestry]
        self.slots += [branch.slot] * len(ancestry)
        self.lengths += [length] * len(ancestry)
        self.paths += [[length + row for row in path] for path in ancestry]

    def part(self, start: int, end: int) -> "Rows":
        """Rows [start, end)."""
        cut = slice(start, end)
        return Rows(
            self.tokens[cut], self.positions[cut], self.slots[cut], self.cells[cut], self.lengths[cut], self.paths[cut],
            [row - start for row in self.wanted if start <= row < end],
        )  # fmt: skip

    @property
    def branching(self) -> bool:
        """Whether a row's cells are not its positions."""
        return self.cells != self.positions


class Runner:
    """A model with its cache. The committed cells of a slot are always a prefix of its tokens.

    exact: decode in passes of the back end's fixed width, so that a row's bits do not depend on its company. A draft
    model can do without. prompt_rows: most rows of a pass that reads a prompt; None = what the back end likes.
    """

    def __init__(self, model: Model, cache: Cache, exact: bool = True, prompt_rows: int | None = None) -> None:
        self.model, self.cache = model, cache
        self.width = model.pass_rows if exact else None
        self.widest = model.widest
        most = model.prompt_rows
        self.chunk = min(most, cache.draft_rows, prompt_rows or most)
        """Rows per pass when reading a prompt."""
        self.forward = model.forward

    def read(self, slot: int, tokens: Sequence[int], features: Sequence[int] = ()) -> Iterator[tuple[int, Output]]:
        """Evaluate and commit prompt tokens chunk by chunk; yields the chunk's size and its features, no logits."""
        return self._read(slot, tokens, False, features)

    def logits(self, slot: int, tokens: Sequence[int]) -> Array:
        """Teacher-forced: commits the tokens to the slot -> [n, V], row i follows token i."""
        return concat([output.logits for _, output in self._read(slot, tokens, True, ())])

    def _read(
        self, slot: int, tokens: Sequence[int], wanted: bool, features: Sequence[int]
    ) -> Iterator[tuple[int, Output]]:
        for start in range(0, len(tokens), self.chunk):
            chunk, rows = tokens[start : start + self.chunk], Rows()
            rows.chain(slot, chunk, self.cache.lengths[slot], wanted)
            output = self._pass(rows, features)
            self.cache.commit(slot, range(len(chunk)))
            yield len(chunk), output

    def decode(self, branches: Sequence[Branch], features: Sequence[int] = ()) -> list[Output]:
        """One Output per branch: logits [wanted rows, V] and features of its new rows, provisional in the cache."""
        rows, outputs, first, seen = Rows(), [], 0, 0
        for branch in branches:
            rows.tree(branch, self.cache.lengths[branch.slot])
        whole = self._passes(rows, features)
        for branch in branches:
            n = len(branch.tokens)
            wanted = n if branch.wanted is None else len(branch.wanted)
            own = {number: values[first : first + n] for number, values in whole.features.items()}
            outputs.append(Output(whole.logits[seen : seen + wanted], own))
            first, seen = first + n, seen + wanted
        return outputs

    def _passes(self, rows: Rows, features: Sequence[int]) -> Output:
        """Split rows into passes of the fixed width; later rows find the keys of earlier ones in their cells."""
        size, n = self.width or self.widest, len(rows.tokens)
        if n <= size:
            return self._pass(rows, features)
        outputs = [self._pass(rows.part(start, start + size), features) for start in range(0, n, size)]
        joined = {number: concat([output.features[number] for output in outputs]) for number in features}
        return Output(concat([output.logits for output in outputs]), joined)

    def _pass(self, rows: Rows, features: Sequence[int]) -> Output:
        """One forward pass, padded to the fixed width with rows that nobody reads."""
        n = len(rows.tokens)
        padding = max((self.width or n) - n, 0)
        fillers = (0, 0, 0, PADDING, 0)
        columns = zip((rows.tokens, rows.positions, rows.slots, rows.cells, rows.lengths), fillers, strict=True)
        tokens, positions, slots, cells, lengths = np.array(
            [[*values, *[filler] * padding] for values, filler in columns], np.int64
        )
        paths = self._padded(rows.paths, n + padding) if rows.branching else None
        index = KVIndex(positions, slots, lengths, paths, blocks=max(rows.positions) // KV_BLOCK + 1)
        everything = len(rows.wanted) == n
        wanted = None if everything else np.array(rows.wanted, np.int64)
        output = self.forward(Batch(tokens, positions, slots, cells, index, wanted), self.cache, features)
        inputs = {number: self._given(values)[:n] for number, values in output.features.items()}
        logits = self._given(output.logits)
        return Output(logits[:n] if everything else logits, inputs)

    def _given(self, values: Array) -> Array:
        """What a CPU computed is a numpy array, whatever computed it."""
        if isinstance(values, np.ndarray) or not self.model.device.is_host:
            return values
        return np.asarray(values)

    @staticmethod
    def _padded(paths: Sequence[Sequence[int]], n: int) -> np.ndarray:
        """Ragged paths -> [n, T] int64; what is padded is out of sight."""
        depth = max(len(path) for path in paths)
        square = [[*path, *[0] * (depth - len(path))] for path in paths] + [[0] * depth] * (n - len(paths))
        return np.array(square, np.int64)
