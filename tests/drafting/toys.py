"""A model that is a table: it stands in for Runner, remembers what its cache holds, and counts its rows."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import numpy as np

from llamaspec.drafting.drafter import Slot
from llamaspec.network.decoder import Output
from llamaspec.sampling.chain import Chain, SamplerParams
from llamaspec.sampling.sampler import Rows


class ToyCache:
    """cells: the committed tokens of each slot; pending: the rows of its last pass.

    grain: a slot can only be cut to a multiple of it, as recurrent states are; 0 = to nothing.
    """

    def __init__(self, context: int, slots: int, grain: int = 1) -> None:
        self.context, self.grain, self.draft_rows = context, grain, context
        self.cells: list[list[int]] = [[] for _ in range(slots)]
        self.pending: list[list[int]] = [[] for _ in range(slots)]

    @property
    def lengths(self) -> list[int]:
        return [len(cells) for cells in self.cells]

    def commit(self, slot: int, path: Sequence[int]) -> None:
        assert list(path) == sorted(set(path))
        self.cells[slot] += [self.pending[slot][row] for row in path]
        self.pending[slot] = []

    def truncate(self, slot: int, length: int) -> int:
        if length < len(self.cells[slot]):
            del self.cells[slot][length // self.grain * self.grain if self.grain else 0 :]
            self.pending[slot] = []
        return len(self.cells[slot])


class ToyRunner:
    """Logits depend on the last token and on the sum of all that the row sees: a wrong cache shows at once."""

    def __init__(
        self, n_vocab: int = 24, context: int = 64, slots: int = 2, seed: int = 0, scale: float = 2.0, grain: int = 1
    ) -> None:
        random = np.random.default_rng(seed)
        self.last, self.sums = random.standard_normal((2, n_vocab, n_vocab), np.float32) * np.float32(scale)
        self.model = SimpleNamespace(hparams=SimpleNamespace(n_vocab=n_vocab))
        self.cache = ToyCache(context, slots, grain)
        self.n_vocab, self.rows, self.broken = n_vocab, 0, False

    def after(self, seen: Sequence[int]) -> np.ndarray:
        """The logits [V] behind a text."""
        assert all(0 <= token < self.n_vocab for token in seen)
        assert len(seen) <= self.cache.context
        if self.broken:
            return np.full(self.n_vocab, np.nan, np.float32)
        return self.last[seen[-1]] + self.sums[sum(seen) % self.n_vocab]

    def read(self, slot: int, tokens: Sequence[int]) -> Iterator[tuple[int, Output]]:
        for start in range(0, len(tokens), 16):
            chunk = list(tokens[start : start + 16])
            self.rows += len(chunk)
            self.cache.cells[slot] += chunk
            self.cache.pending[slot] = []
            yield len(chunk), Output(np.empty(0, np.float32))

    def decode(self, branches: Sequence) -> list[Output]:
        outputs = []
        for branch in branches:
            self.rows += len(branch.tokens)
            seen = self.cache.cells[branch.slot]
            paths = branch.ancestry() if branch.parents else [[0]]
            assert len(paths) == len(branch.tokens)
            outputs.append(
                Output(np.stack([self.after([*seen, *(branch.tokens[row] for row in path)]) for path in paths]))
            )
            self.cache.pending[branch.slot] = list(branch.tokens)
        return outputs


def plain(passes: ToyRunner, slot: Slot, n: int) -> list[int]:
    """What a target with this table would write after slot.tokens."""
    assert slot.chain is not None
    tokens, state, out = list(slot.tokens), slot.state, []
    for _ in range(n):
        row = passes.after(tokens)[None]
        rows = Rows(np.array([len(tokens)]), slot.seed)
        token = int(slot.chain.choose(row, rows, state)[0])
        state = slot.chain.advance(state, token, row[0], rows)
        tokens.append(token)
        out.append(token)
    return out


def of_the_best(row: np.ndarray) -> dict[int, float]:
    """logits [V] -> token -> its share among the ten best."""
    best = np.argsort(-row)[:10]
    weights = np.exp(row[best])
    return dict(zip(best.tolist(), (weights / weights.sum()).tolist(), strict=True))


CHAINS = [
    SamplerParams(temp=0.0),
    SamplerParams(temp=1.0),
    SamplerParams(temp=2.0, top_k=5),
    SamplerParams(temp=0.8, repeat_penalty=1.5, repeat_last_n=8),
    SamplerParams(temp=1.0, mirostat=2),
    SamplerParams(temp=1.0, dry_multiplier=1.0, dry_allowed_length=1, dry_sequence_breaker=()),
]


def slot_of(tokens: Sequence[int], params: SamplerParams = CHAINS[1], number: int = 0, seed: int = 5) -> Slot:
    """A slot as the engine would hand it over."""
    chain = Chain.build(params)
    return Slot(number, list(tokens), seed=seed, chain=chain, state=chain.start(tokens))
