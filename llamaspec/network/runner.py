"""Batches prompt chunks and draft trees into forward passes, padded or split so that a row's bits stay the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..kernels.protocol import KV_BLOCK, Batch, KVIndex, Output
from .cache import Cache
from .decoder import Model

PADDING = -1
"""The cell of rows that nobody reads."""


@dataclass(frozen=True)
class Branch:
    """A slot's rows for one decode pass: its last token, then a tree of guesses (parents: -1 = the last token)."""

    slot: int
    tokens: Sequence[int]
    parents: Sequence[int] = ()

    def ancestry(self) -> list[list[int]]:
        """For each row the rows on its path, itself included, from row 0 on."""
        paths = [[0]]
        for node, parent in enumerate(self.parents):
            paths.append([*paths[parent + 1], node + 1])
        return paths


class Runner:
    """A model with its cache. The committed cells of a slot are always a prefix of its tokens.

    exact: decode in passes of the back end's fixed width, so that a row's bits do not depend on its company. A draft
    model can do without. prompt_rows: most rows of a pass that reads a prompt; None = what the back end likes.
    """

    def __init__(self, model: Model, cache: Cache, exact: bool = True, prompt_rows: int | None = None) -> None:
        self.model, self.cache = model, cache
        self.width = model.kernels.pass_rows if exact else None
        most = model.kernels.prompt_rows
        self.chunk = min(most, cache.draft_rows, prompt_rows or most)
        """Rows per pass when reading a prompt."""
        self.forward = model.forward

    def read(self, slot: int, tokens: Sequence[int], features: Sequence[int] = ()) -> Iterator[tuple[int, Output]]:
        """Evaluate and commit prompt tokens chunk by chunk; yields the chunk's size and its features, no logits."""
        size = self.chunk
        for start in range(0, len(tokens), size):
            chunk = tokens[start : start + size]
            first = self.cache.lengths[slot]
            positions = list(range(first, first + len(chunk)))
            output = self._pass(chunk, positions, [slot] * len(chunk), positions, None, False, features)
            self.cache.commit(slot, range(len(chunk)))
            yield len(chunk), output

    def logits(self, slot: int, tokens: Sequence[int]) -> Tensor:
        """Teacher-forced: commits the tokens to the slot -> [n, V], row i follows token i."""
        size = self.chunk
        parts = []
        for start in range(0, len(tokens), size):
            chunk = tokens[start : start + size]
            first = self.cache.lengths[slot]
            positions = list(range(first, first + len(chunk)))
            output = self._pass(chunk, positions, [slot] * len(chunk), positions, None, True, ())
            parts.append(output.logits)
            self.cache.commit(slot, range(len(chunk)))
        return torch.cat(parts)

    def decode(self, branches: Sequence[Branch], features: Sequence[int] = ()) -> list[Output]:
        """One Output per branch: logits [rows, V] and features of its rows, provisional in the cache."""
        tokens: list[int] = []
        positions: list[int] = []
        slots: list[int] = []
        cells: list[int] = []
        paths: list[list[int]] = []
        for branch in branches:
            start = self.cache.lengths[branch.slot]
            ancestry = branch.ancestry() if branch.parents else [[0]]
            tokens += branch.tokens
            positions += [start + len(path) - 1 for path in ancestry]
            slots += [branch.slot] * len(ancestry)
            cells += range(start, start + len(ancestry))
            paths += [[start + row for row in path] for path in ancestry]
        branching = any(cell != position for cell, position in zip(cells, positions, strict=True))
        output = self._passes(tokens, positions, slots, cells, paths if branching else None, features)
        ends = [0]
        for branch in branches:
            ends.append(ends[-1] + len(branch.tokens))
        return [
            Output(output.logits[a:b], {layer: rows[a:b] for layer, rows in output.features.items()})
            for a, b in pairwise(ends)
        ]

    def _passes(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        slots: Sequence[int],
        cells: Sequence[int],
        paths: Sequence[Sequence[int]] | None,
        features: Sequence[int],
    ) -> Output:
        """Split rows into passes of the fixed width; later rows find the keys of earlier ones in their cells."""
        size = self.width or self.model.kernels.widest
        outputs = []
        for start in range(0, len(tokens), size):
            part = slice(start, start + size)
            own = None if paths is None else paths[part]
            outputs.append(self._pass(tokens[part], positions[part], slots[part], cells[part], own, True, features))
        if len(outputs) == 1:
            return outputs[0]
        joined = {layer: torch.cat([output.features[layer] for output in outputs]) for layer in outputs[0].features}
        return Output(torch.cat([output.logits for output in outputs]), joined)

    def _pass(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        slots: Sequence[int],
        cells: Sequence[int],
        paths: Sequence[Sequence[int]] | None,
        wanted: bool,
        features: Sequence[int],
    ) -> Output:
        """One forward pass, padded to the fixed width with rows that nobody reads."""
        n = len(tokens)
        padding = max((self.width or n) - n, 0)
        lengths = [self.cache.lengths[slot] for slot in slots]
        fillers = (0, 0, 0, PADDING, 0)
        columns = zip((tokens, positions, slots, cells, lengths), fillers, strict=True)
        numbers = torch.tensor([[*values, *[filler] * padding] for values, filler in columns], dtype=torch.int64)
        on_device = numbers.to(self.model.device).unbind()
        own_paths = None if paths is None else self._padded(paths, n + padding)
        index = KVIndex(on_device[1], on_device[2], on_device[4], own_paths, blocks=max(positions) // KV_BLOCK + 1)
        batch = Batch(
            tokens=on_device[0],
            positions=on_device[1],
            slots=on_device[2],
            cells=on_device[3],
            index=index,
            wanted=None if wanted else torch.arange(0, device=self.model.device),
        )
        output = self.forward(batch, self.cache, features)
        if not padding:
            return output
        inputs: Mapping[int, Tensor] = {layer: rows[:n] for layer, rows in output.features.items()}
        return Output(output.logits[:n], inputs)

    def _padded(self, paths: Sequence[Sequence[int]], n: int) -> Tensor:
        """Ragged paths -> [n, T] int64; what is padded is never within reach."""
        depth = max(len(path) for path in paths)
        square = [[*path, *[0] * (depth - len(path))] for path in paths] + [[0] * depth] * (n - len(paths))
        return torch.tensor(square, dtype=torch.int64, device=self.model.device)
