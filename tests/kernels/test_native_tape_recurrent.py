"""Convolution and gated delta rule on the tape: a row's bits are those of decoding its branch token by token."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from llamaspec.kernels.native import structures as c

from .native_data import ISAS, instructions, needs_library
from .native_tape import Call, Index, address, chain, plane, room, spread, together, tree, view

pytestmark = needs_library


@pytest.fixture(params=ISAS, autouse=True)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    with instructions(request.param):
        yield request.param


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def branch(index: Index, row: int) -> list[int]:
    """Cells of the row's positions from 0 on."""
    cells = list(range(index.positions[row] + 1))
    if index.paths is not None:
        length = index.lengths[row]
        cells[length:] = index.paths[row, : len(cells) - length]
    return cells


class TestConv:
    channels, kernel = 75, 4

    def setup_method(self) -> None:
        self.weight, self.bias = normal(self.channels, self.kernel), normal(self.channels)

    def __call__(
        self, x: np.ndarray, index: Index, data: np.ndarray, ring: int = 0, threads: int = 1, act: int = 1
    ) -> np.ndarray:
        y = room(len(x), self.channels)
        append = c.AppendOp(view(x), 1, 0)
        op = c.ConvOp(view(x), view(y), address(self.weight), address(self.bias), self.kernel, 0, act)
        call = Call(len(x), index, [plane(data, 0, ring)], threads=threads)
        assert call.run((c.OpKind.APPEND, append), (c.OpKind.CONV, op)) == c.PassResult.DONE
        return np.ascontiguousarray(y)

    def exact(self, x: np.ndarray, index: Index, data: np.ndarray) -> np.ndarray:
        """In float64, with SiLU."""
        out = []
        for row, slot in enumerate(index.slots):
            cells = branch(index, row)[:-1][-self.kernel + 1 :]
            past = [data[slot, 0, cell].astype(np.float64) for cell in cells]
            past = [np.zeros(self.channels)] * (self.kernel - 1 - len(past)) + past
            z = (np.array([*past, x[row]]).T * self.weight).sum(1) + self.bias
            out.append(z / (1 + np.exp(-z)))
        return np.array(out)

    @pytest.mark.parametrize("n", [1, 2, 7, 16, 64])
    def test_against_float64(self, n: int) -> None:
        index = together(chain(0, n), chain(40, n, 1))
        x, data = spread(normal(2 * n, self.channels)), normal(2, 1, 110, self.channels)
        got = self(x, index, data)
        assert np.abs(got - self.exact(x, index, data)).max() < 1e-5
        for threads in (2, 3):
            assert np.array_equal(self(x, index, data, threads=threads), got)
        for row in (0, n - 1, n, 2 * n - 1):
            at = slice(row, row + 1)
            assert np.array_equal(self(x[at], index.take(at), data), got[at])

    def test_a_branch_has_the_bits_of_plain_decoding(self) -> None:
        index, data = tree(50, [-1, 0, 0, 1, 2, 4]), normal(1, 1, 60, self.channels)
        x = normal(6, self.channels)
        got = self(x, index, data)
        assert np.abs(got - self.exact(x, index, data)).max() < 1e-5
        for position, row in enumerate((0, 2, 4, 5)):
            assert np.array_equal(self(x[row : row + 1], chain(50 + position, 1), data), got[row : row + 1])

    def test_ring(self) -> None:
        everything, ring = normal(1, 1, 300, self.channels), np.zeros((1, 1, 40, self.channels), np.float32)
        for index in (chain(200, 7), chain(78, 5), tree(118, [-1, 0, 0, 1, 2])):
            last = np.arange(index.cells[0] - 20, index.cells[-1] + 1)
            ring[0, 0, last % 40] = everything[0, 0, last]
            x = normal(len(index.positions), self.channels)
            assert np.array_equal(self(x, index, ring, 40), self(x, index, everything))

    def test_without_activation_in_place(self) -> None:
        x, data = normal(3, self.channels), np.zeros((1, 1, 10, self.channels), np.float32)
        expected, again = self(x, chain(2, 3), data, act=0), x.copy()
        op = c.ConvOp(view(again), view(again), address(self.weight), address(self.bias), self.kernel, 0, 0)
        Call(3, chain(2, 3), [plane(data, 0)]).run((c.OpKind.CONV, op))
        assert np.array_equal(again, expected)


class Sequences:
    """Two sequences whose states the tape keeps, driven as an engine does: passes, commits, steps back."""

    def __init__(
        self,
        heads: int = 4,
        key_heads: int = 2,
        size: int = 32,
        tiled: bool = True,
        ring: int = 64,
        slots: int = 2,
        value: int = 0,
        corrected: bool = True,
        by_channel: bool = False,
    ) -> None:
        self.heads, self.key_heads, self.size, self.tiled, self.ring = heads, key_heads, size, tiled, ring
        self.value, self.corrected, self.by_channel = value or size, corrected, by_channel
        self.decays = heads * (size if by_channel else 1)
        self.skip = None if corrected else normal(heads, seed=5)
        row = key_heads * size + heads * self.value + heads + self.decays
        self.inputs = np.full((slots, 1, ring, row), np.nan, np.float32)
        self.states = np.full((slots, 2 * heads, 1, size * self.value), np.nan, np.float32)
        self.states[:, :heads] = 0
        self.marks = np.zeros((slots, 1, 1, 3), np.int64)
        self.marks[..., 1] = -1

    def run(self, tokens: Sequence[int], index: Index, threads: int = 1, expect: int = 0) -> np.ndarray:
        """One pass over tokens, which stand for their inputs -> [n, heads * value]."""
        q, k, v, beta, decay = self.drawn(tokens)
        q, k, v, beta, decay = spread(q), spread(k), spread(v), spread(beta), spread(decay)
        y = room(len(tokens), self.heads * self.value)
        planes = [plane(self.inputs, 0, self.ring), plane(self.states, 0), plane(self.marks, 0)]
        op = c.DeltaOp(
            *(view(x) for x in (q, k, v, beta, decay, y)), address(self.skip), self.heads, self.key_heads, self.size,
            self.value, 0, 1, 2, self.tiled, self.corrected, self.by_channel, self.size**-0.5,
        )  # fmt: skip
        assert Call(len(tokens), index, planes, threads=threads).run((c.OpKind.DELTA, op)) == expect
        return np.ascontiguousarray(y)

    def drawn(self, tokens: Sequence[int]) -> tuple[np.ndarray, ...]:
        """q, k, v, beta and decay of each token."""

        def rows(what: int, width: int) -> np.ndarray:
            return np.array([normal(width, seed=10 * token + what) for token in tokens])

        q, k = (rows(i, self.key_heads * self.size) for i in range(2))
        q, k = (x.reshape(len(x), -1, self.size) for x in (q, k))
        q, k = ((x / np.linalg.norm(x, axis=-1, keepdims=True)).reshape(len(x), -1) for x in (q, k))
        widths = ((3, self.heads, 0), (4, self.decays, 3))
        beta, decay = (1 / (1 + np.exp(-rows(i, width) - shift)) for i, width, shift in widths)
        return q, k, rows(2, self.heads * self.value), beta.astype(np.float32), decay.astype(np.float32)

    def exact(self, tokens: Sequence[int]) -> np.ndarray:
        """Of the last of the tokens, in float64 (spec/models.md 2.3)."""
        out = np.zeros((self.heads, self.value))
        for head in range(self.heads):
            key = head % self.key_heads if self.tiled else head // (self.heads // self.key_heads)
            state = np.zeros((self.size, self.value))
            for q, k, v, beta, decay in zip(*(x.astype(np.float64) for x in self.drawn(tokens)), strict=True):
                q, k = (x.reshape(-1, self.size)[key] for x in (q, k))
                v = v.reshape(-1, self.value)[head]
                state *= decay.reshape(self.heads, -1)[head][:, None]
                state += np.outer(k, (v - state.T @ k if self.corrected else v) * beta[head])
                out[head] = state.T @ q * self.size**-0.5 + (0 if self.skip is None else v * self.skip[head])
        return out.ravel()

    def commit(self, slot: int, length: int, path: Sequence[int]) -> None:
        """Rows of the last pass become tokens length, length + 1, ..., as InputStates does it."""
        if list(path) != list(range(len(path))):
            kept = [self.inputs[slot, 0, (length + row) % self.ring].copy() for row in path]
            for place, row in enumerate(kept):
                self.inputs[slot, 0, (length + place) % self.ring] = row
            self.marks[slot, 0, 0, 1] = -1

    def mark(self, slot: int = 0) -> list[int]:
        return self.marks[slot, 0, 0].tolist()


def decoded(tokens: Sequence[int], **how: int) -> np.ndarray:
    """Every output of decoding one token after the other."""
    plain = Sequences(**how)
    return np.concatenate([plain.run([token], chain(at, 1)) for at, token in enumerate(tokens)])


SHAPES = [
    {"heads": 4, "key_heads": 2, "size": 32}, {"heads": 4, "key_heads": 2, "size": 128, "tiled": False},
    {"heads": 3, "key_heads": 3, "size": 80}, {"heads": 6, "key_heads": 2, "size": 9},
    {"heads": 4, "key_heads": 2, "size": 24, "value": 83, "corrected": False, "tiled": False},
    {"heads": 3, "key_heads": 3, "size": 33, "value": 48, "by_channel": True},
]  # fmt: skip


class TestDelta:
    @pytest.mark.parametrize("how", SHAPES)
    def test_decoding_against_float64(self, how: dict[str, int]) -> None:
        tokens = list(range(30, 52))
        got = decoded(tokens, **how)
        exact = Sequences(**how)
        for n in (1, 2, 15, 22):
            expected = exact.exact(tokens[:n])
            assert np.abs(got[n - 1] - expected).max() < 2e-6 * max(1, np.abs(expected).max())

    @pytest.mark.parametrize("how", SHAPES)
    @pytest.mark.parametrize("threads", [1, 2])
    def test_a_prompt_has_the_bits_of_decoding(self, how: dict[str, int], threads: int) -> None:
        tokens = list(range(40))
        expected = decoded(tokens, **how)
        for sizes in ((40,), (1, 39), (7, 16, 1, 2, 14)):
            sequences, length = Sequences(**how), 0
            for n in sizes:
                got = sequences.run(tokens[length : length + n], chain(length, n), threads)
                assert np.array_equal(got, expected[length : length + n])
                assert sequences.mark()[:2] == [length, length + n]
                length += n

    @pytest.mark.parametrize("threads", [1, 2])
    def test_drafts_that_are_kept_in_part(self, threads: int) -> None:
        """Chains of 5 of which 0 to 5 are kept: far beyond the ring."""
        truth, sequences, length = list(range(1000, 1220)), Sequences(), 0
        expected = decoded(truth)
        for step in range(60):
            kept = step % 6
            draft = truth[length : length + 1 + kept] + [7 * step + i for i in range(5 - kept)]
            got = sequences.run(draft, chain(length, len(draft)), threads)
            assert np.array_equal(got[: kept + 1], expected[length : length + kept + 1])
            sequences.commit(0, length, range(kept + 1))
            length += kept + 1
        assert length > 2 * sequences.ring

    @pytest.mark.parametrize("threads", [1, 2])
    def test_trees(self, threads: int) -> None:
        """Every row has the bits of its branch, and what is kept goes on with those of plain decoding."""
        truth, sequences = list(range(2000, 2040)), Sequences()
        expected = decoded(truth)
        sequences.run(truth[:9], chain(0, 9))
        length = 9
        shapes = [([-1, 0, 0, 2, 1, 3], [0, 2, 3, 5]), ([-1, 0, 1, 0], [0, 1, 2]), ([-1, -1, 1, 0, 2], [1, 2, 4])]
        for step in range(7):
            parents, path = shapes[step % 3]
            draft = [100 * step + row for row in range(len(parents))]
            for place, row in enumerate(path):
                draft[row] = truth[length + place]
            index = tree(length, parents)
            got = sequences.run(draft, index, threads)
            assert np.array_equal(got[path], expected[length : length + len(path)])
            for row in range(len(parents)):
                of_branch = [draft[cell - length] for cell in branch(index, row)[length:]]
                assert np.array_equal(got[row], decoded(truth[:length] + of_branch)[-1])
            sequences.commit(0, length, path)
            length += len(path)

    def test_a_chain_in_a_tree_of_one_branch_is_taken_over(self) -> None:
        sequences = Sequences()
        sequences.run([1, 2, 3], tree(0, [-1, 0, 1]))
        assert sequences.mark()[:2] == [0, 3]
        sequences.run([4, 5, 6], tree(3, [-1, 0, 0]))
        assert sequences.mark()[:2] == [3, -1]
        sequences.run(
            [7, 8],
            Index(np.array([4, 5]), np.array([3, 3]), np.zeros(2, int), np.array([6, 7]), np.array([[3, 6, 7]] * 2)),
        )
        assert sequences.mark()[:2] == [3, -1]

    def test_a_chain_that_grows_by_passes(self) -> None:
        """Rows behind rows of an earlier pass that are not committed: a draft model's own tokens."""
        tokens = [11, 12, 13, 14, 15, 16, 17, 18]
        expected, sequences = decoded(tokens), Sequences()
        got = [sequences.run(tokens[:3], chain(0, 3))]
        for position in range(3, 7):
            index = Index(np.array([position]), np.array([3]), np.array([0]), np.array([position]))
            if position % 2:
                index.paths = np.arange(3, 9)[None]
            inputs = sequences.inputs.copy()
            sequences.inputs[0, 0, 3:position] = np.nan  # not read again: the state behind them is there
            got.append(sequences.run([tokens[position]], index))
            sequences.inputs[0, 0, 3:position] = inputs[0, 0, 3:position]
            assert sequences.mark()[:2] == [3, position + 1]
        assert np.array_equal(np.concatenate(got), expected[:7])
        sequences.commit(0, 3, range(4))
        assert np.array_equal(sequences.run(tokens[7:], chain(7, 1)), expected[7:])

    def test_a_branch_that_leaves_an_earlier_pass(self) -> None:
        """Position 5 again, behind 3 and 4 of the pass before."""
        sequences = Sequences()
        sequences.run([1, 2, 3], chain(0, 3))
        sequences.run([4, 5, 6], chain(3, 3))
        index = Index(np.array([5]), np.array([3]), np.array([0]), np.array([6]), np.array([[3, 4, 6]]))
        assert np.array_equal(sequences.run([9], index), decoded([1, 2, 3, 4, 5, 9])[-1:])
        sequences.commit(0, 3, [0, 1, 3])
        assert np.array_equal(sequences.run([10], chain(6, 1)), decoded([1, 2, 3, 4, 5, 9, 10])[-1:])

    @pytest.mark.parametrize("threads", [1, 2])
    def test_sequences_of_one_pass(self, threads: int) -> None:
        sequences = Sequences(slots=3)
        mixed = together(chain(0, 4, 2), chain(0, 2, 1), chain(0, 3, 0))
        order = [0, 4, 6, 1, 7, 2, 5, 3, 8]  # rows of a sequence need not lie together
        tokens = np.array([1, 2, 3, 4, 21, 22, 31, 32, 33])
        got = sequences.run(tokens[order], mixed.take(order), threads)
        expected = np.concatenate([decoded([1, 2, 3, 4]), decoded([21, 22]), decoded([31, 32, 33])])
        assert np.array_equal(got, expected[order])
        assert [sequences.mark(slot)[:2] for slot in range(3)] == [[0, 3], [0, 2], [0, 4]]
        got = sequences.run([5, 23, 24, 25], together(chain(4, 1, 2), tree(2, [-1, 0, 0], 1)), threads)
        ends = [[1, 2, 3, 4, 5], [21, 22, 23], [21, 22, 23, 24], [21, 22, 23, 25]]
        assert np.array_equal(got, np.concatenate([decoded(end)[-1:] for end in ends]))
        assert sequences.mark(0)[:2] == [0, 3]

    def test_padding_leaves_nothing_behind(self) -> None:
        sequences, plain = Sequences(), Sequences()
        for run in (sequences.run, plain.run):
            run([1, 2, 3], chain(0, 3))
        index = together(chain(3, 2), chain(0, 1), chain(5, 1))
        index.lengths[:], index.cells[2] = 3, -1
        got = sequences.run([4, 5, 6, 7], index)
        expected = plain.run([4, 5, 7], chain(3, 3))
        assert np.array_equal(got[[0, 1, 3]], expected)
        assert not got[2].any()
        assert sequences.mark() == plain.mark()
        assert np.array_equal(sequences.inputs, plain.inputs, equal_nan=True)
        assert np.array_equal(sequences.states, plain.states, equal_nan=True)

    def test_inputs_that_are_gone_are_out_of_range(self) -> None:
        sequences = Sequences(ring=8)
        sequences.run([1, 2, 3], chain(0, 3))
        sequences.run([4], chain(3, 1))
        before = sequences.states.copy(), sequences.inputs.copy(), sequences.marks.copy()
        sequences.run([5], chain(2, 1), expect=c.PassResult.OUT_OF_RANGE)  # younger than the base state
        sequences.run([5], chain(12, 1), expect=c.PassResult.OUT_OF_RANGE)  # nine inputs of a ring of eight
        for was, now in zip(before, (sequences.states, sequences.inputs, sequences.marks), strict=True):
            assert was.tobytes() == now.tobytes()
