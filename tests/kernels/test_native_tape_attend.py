"""Keys and values on the tape: how they are kept, and attention over them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from llamaspec.kernels import kv_types
from llamaspec.kernels.native import structures as c

from .native_data import ISAS, instructions, needs_library
from .native_tape import Call, Index, address, chain, plane, room, spread, together, tree, view

pytestmark = needs_library
TYPES = {kind.name: kind for kind in kv_types.ALL}
ROWS = (1, 2, 7, 16, 64)


@pytest.fixture(params=ISAS, autouse=True)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    with instructions(request.param):
        yield request.param


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def encoded(x: np.ndarray, kind: str) -> np.ndarray:
    """x [..., values] -> bytes."""
    return TYPES[kind].encode(torch.from_numpy(np.ascontiguousarray(x))).numpy()


def decoded(data: np.ndarray, kind: str) -> np.ndarray:
    return TYPES[kind].decode(torch.from_numpy(np.ascontiguousarray(data))).numpy()


class TestAppend:
    @pytest.mark.parametrize("kind", TYPES)
    def test_bytes_are_those_of_the_type(self, kind: str) -> None:
        rng = np.random.default_rng(0)
        x = normal(6, 2 * 64) * (10 ** (rng.random((6, 128)) * 12 - 9)).astype(np.float32)
        x[0, :32], x[1, 64:], x[2, :64] = 0, 1e-42, 3e9
        x[3, :64] = np.arange(64) - 0.5  # ties
        x[0, 64], x[0, 65] = 1 + 2**-8, 1 + 3 * 2**-8  # ties of bf16, to either side
        data = np.full((3, 2, 10, TYPES[kind].row_bytes(64)), 7, np.uint8)
        expected = data.copy()
        at = Index(
            np.zeros(6, np.int64), np.zeros(6, np.int64), np.array([0, 2, 2, 1, 0, 1]), np.array([9, 0, 1, 5, 0, 2])
        )
        expected[at.slots, :, at.cells] = encoded(x.reshape(6, 2, 64), kind)
        x = spread(x)
        op = c.AppendOp(view(x), 2, 0)
        assert Call(6, at, [plane(data, TYPES[kind].number)]).run((c.OpKind.APPEND, op)) == 0
        assert np.array_equal(data, expected)

    @pytest.mark.parametrize("kind", TYPES)
    def test_what_is_not_a_number_stays_so(self, kind: str) -> None:
        x, data = normal(3, 64), np.zeros((1, 1, 3, TYPES[kind].row_bytes(64)), np.uint8)
        x[0, 5], x[1, 40], x[2, 0] = np.nan, np.inf, -np.inf
        Call(3, chain(0, 3), [plane(data, TYPES[kind].number)]).run((c.OpKind.APPEND, c.AppendOp(view(x), 1, 0)))
        found = decoded(data[0, 0], kind)
        assert not np.isfinite(found[[0, 1, 2], [5, 40, 0]]).any()
        assert np.isfinite(found[:, 33 if kind == "q8_0" else 1]).sum() == (2 if kind == "q8_0" else 3)

    def test_padding_is_not_kept(self) -> None:
        x, data, index = normal(3, 64), np.zeros((1, 1, 9, 64), np.float32), chain(4, 3)
        index.cells[1] = -1
        assert Call(3, index, [plane(data, 0)]).run((c.OpKind.APPEND, c.AppendOp(view(x), 1, 0))) == 0
        assert np.array_equal(data[0, 0, [4, 6]], x[[0, 2]])
        assert not data[0, 0, [0, 1, 2, 3, 5, 7, 8]].any()

    def test_ring_and_many_rows(self) -> None:
        """Cells are taken modulo the ring; two threads write what one writes."""
        for threads in (1, 2):
            x, data = normal(60, 4 * 256), np.zeros((1, 4, 70, 256), np.float32)
            op = c.AppendOp(view(x), 4, 0)
            assert Call(60, chain(1000, 60), [plane(data, 0, 64)], threads=threads).run((c.OpKind.APPEND, op)) == 0
            cells = np.arange(1000, 1060) % 64
            assert np.array_equal(data[0][:, cells], x.reshape(60, 4, 256).transpose(1, 0, 2))
            assert not data[:, :, 64:].any()


@dataclass
class Scene:
    """Two sequences of keys and values, and how they are attended to."""

    heads: int = 6
    kv_heads: int = 2
    width: int = 64
    value: int = 64
    length: int = 400
    types: tuple[str, str] = ("f16", "f16")
    window: int = 0
    chunked: bool = False
    softcap: float = 0.0
    scale: float = 0.125
    sinks: np.ndarray | None = None
    ring: int = 0
    prefix: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        cells = self.ring or self.length
        self.k = encoded(normal(2, self.kv_heads, cells, self.width, seed=self.seed), self.types[0])
        self.v = encoded(normal(2, self.kv_heads, cells, self.value, seed=self.seed + 1), self.types[1])

    def __call__(self, q: np.ndarray, index: Index, threads: int = 1, gap: int = 5) -> np.ndarray:
        y = room(len(q), self.heads * self.value, gap)
        planes = [plane(self.k, TYPES[self.types[0]].number, self.ring)]
        if not self.prefix:
            planes.append(plane(self.v, TYPES[self.types[1]].number, self.ring))
        op = c.AttendOp(
            view(q), view(y), address(self.sinks), 0, len(planes) - 1, self.heads, self.kv_heads, self.width,
            self.value, self.window, self.chunked, self.scale, self.softcap,
        )  # fmt: skip
        assert Call(len(q), index, planes, threads=threads).run((c.OpKind.ATTEND, op)) == c.PassResult.DONE
        return np.ascontiguousarray(y)

    def exact(self, q: np.ndarray, index: Index) -> np.ndarray:
        """In float64, one row at a time."""
        keys = decoded(self.k, self.types[0]).astype(np.float64)
        values = keys[..., : self.value] if self.prefix else decoded(self.v, self.types[1]).astype(np.float64)
        out = []
        for row, (position, length, slot) in enumerate(zip(index.positions, index.lengths, index.slots, strict=True)):
            cells = np.arange(position + 1)
            if index.paths is not None:
                cells[length:] = index.paths[row, : position + 1 - length]
            if self.chunked:
                cells = cells[position // self.window * self.window :]
            elif self.window:
                cells = cells[-self.window :]
            cells = cells % self.ring if self.ring else cells
            group = self.heads // self.kv_heads
            k, v = (np.repeat(x[slot][:, cells], group, 0) for x in (keys, values))
            scores = np.einsum("hd,hcd->hc", q[row].reshape(self.heads, -1).astype(np.float64), k) * self.scale
            if self.softcap:
                scores = self.softcap * np.tanh(scores / self.softcap)
            more = np.empty((self.heads, 0)) if self.sinks is None else self.sinks[:, None].astype(np.float64)
            scores = np.concatenate([scores, more], 1)
            weights = np.exp(scores - scores.max(1, keepdims=True))
            weights /= weights.sum(1, keepdims=True)
            out.append(np.einsum("hc,hcd->hd", weights[:, : len(cells)], v).ravel())
        return np.array(out)


def check(scene: Scene, index: Index, error: float = 6e-6, some: Sequence[int] = (0, -1)) -> None:
    """Near float64; a row has its bits alone, with others, with any step and any number of threads."""
    n = len(index.positions)
    q = spread(normal(n, scene.heads * scene.width) * 2)
    got = scene(q, index)
    assert np.abs(got - scene.exact(q, index)).max() < error
    for threads in (2, 3):
        assert np.array_equal(scene(q, index, threads, 0), got)
    for row in some:
        at = slice(row % n, row % n + 1)
        assert np.array_equal(scene(q[at], index.take(at)), got[at])
    half = slice(n // 2, n)
    assert np.array_equal(scene(q[half], index.take(half), 2), got[half])


SHAPES = [
    (4, 4, 64, 64),
    (14, 2, 64, 64),
    (9, 1, 24, 24),
    (8, 2, 6, 6),
    (12, 1, 128, 128),
    (4, 2, 96, 40),
    (4, 2, 40, 96),
]


class TestAttend:
    @pytest.mark.parametrize("kind", TYPES)
    @pytest.mark.parametrize("shape", SHAPES)
    def test_against_float64(self, shape: tuple[int, int, int, int], kind: str) -> None:
        if kind == "q8_0" and (shape[2] % 32 or shape[3] % 32):
            shape = (*shape[:2], 96, 32)
        index = together(chain(299, 1), chain(0, 3, 1), chain(62, 4), chain(130, 2, 1))
        check(Scene(*shape, types=(kind, kind)), index, some=range(10))

    @pytest.mark.parametrize("n", ROWS)
    def test_a_prompt(self, n: int) -> None:
        check(Scene(14, 2, 64, 64), chain(101, n))

    def test_mixed_types(self) -> None:
        for types in (("q8_0", "f32"), ("bf16", "q8_0"), ("f16", "bf16")):
            check(Scene(types=types), chain(130, 5))

    @pytest.mark.parametrize(
        "more",
        [
            {"window": 40},
            {"softcap": 5.0},
            {"sinks": normal(6)},
            {"window": 70, "softcap": 2.0},
            {"window": 50, "chunked": True},
        ],
    )
    def test_windows_softcap_sinks(self, more: dict) -> None:
        for index in (chain(150, 9), chain(0, 70), tree(100, [-1, 0, 0, 1, 2, 2, 5])):
            check(Scene(**more), index)

    def test_a_window_that_hides_whole_blocks(self) -> None:
        check(Scene(window=3, length=900), together(chain(700, 2), chain(127, 4, 1)), some=range(6))

    @pytest.mark.parametrize("kind", ["f32", "q8_0"])
    def test_wide_keys_whose_first_part_is_the_value(self, kind: str) -> None:
        """MLA: 576 values of key, 512 of them value too, one head for 32 queries."""
        scene = Scene(32, 1, 576, 512, 200, (kind, kind), prefix=True)
        for index in (chain(150, 3), chain(20, 33), tree(130, [-1, 0, 0, 1, 1])):
            check(scene, index, 1e-5)
        alone = replace(scene, prefix=False)
        alone.k, alone.v = scene.k, encoded(decoded(scene.k, kind)[..., :512], kind)
        if kind == "f32":
            q = normal(5, 32 * 576)
            assert np.array_equal(alone(q, chain(150, 5)), scene(q, chain(150, 5)))

    def test_a_branch_has_the_bits_of_plain_decoding(self) -> None:
        scene, parents = Scene(), [-1, 0, 0, 1, 2, 4]
        q, index = normal(6, 6 * 64), tree(120, parents)
        got = scene(q, index)
        check(scene, index, some=range(6))
        plain = Scene()
        for position, row in enumerate((0, 2, 4, 5)):  # a branch
            for to, of in ((plain.k, scene.k), (plain.v, scene.v)):
                to[:, :, 120 + position] = of[:, :, 120 + row]
        for position, row in enumerate((0, 2, 4, 5)):
            assert np.array_equal(plain(q[row : row + 1], chain(120 + position, 1)), got[row : row + 1])

    @pytest.mark.parametrize("window", [60, 100])
    def test_a_ring_has_the_bits_of_all_cells(self, window: int) -> None:
        ring = 192
        everything, scene = Scene(length=1000, window=window), Scene(window=window, ring=ring)
        for index in (chain(900, 8), chain(ring - 3, 7), together(tree(700, [-1, 0, 0, 2]), chain(100, 20, 1))):
            for slot, last in ((slot, 1 + index.cells[index.slots == slot].max()) for slot in set(index.slots)):
                at = np.arange(max(0, last - ring), last)
                for to, of in ((scene.k, everything.k), (scene.v, everything.v)):
                    to[slot][:, at % ring] = of[slot][:, at]
            q = normal(len(index.positions), 6 * 64)
            assert np.array_equal(scene(q, index), everything(q, index))
            check(scene, index)

    def test_sequences_of_one_pass(self) -> None:
        check(Scene(), together(chain(200, 20), chain(60, 30, 1), tree(300, [-1, 0, 0])), some=range(53))

    def test_only_wanted_rows(self) -> None:
        scene, wanted = Scene(window=50), np.array([5, 0, 3])
        index = together(tree(100, [-1, 0, 0, 2]), chain(7, 3, 1))
        q, y = normal(7, 6 * 64), room(3, 6 * 64)
        some = np.ascontiguousarray(q[wanted])
        op = c.AttendOp(view(some), view(y), None, 0, 1, 6, 2, 64, 64, 50, 0, 0.125, 0)
        planes = [plane(scene.k, 1), plane(scene.v, 1)]
        assert Call(7, index, planes, wanted=wanted).run((c.OpKind.ATTEND, op, True)) == 0
        assert np.array_equal(y, scene(q, index)[wanted])

    def test_cells_that_are_not_seen_do_not_matter(self) -> None:
        scene, q = Scene(types=("f32", "f32")), normal(3, 6 * 64)
        got = scene(q, chain(100, 3))
        scene.k[:, :, 4 * 103 :], scene.k.view(np.float32)[:, :, 103:], scene.v.view(np.float32)[:, :, 103:] = (
            0,
            np.nan,
            np.nan,
        )
        assert np.array_equal(scene(q, chain(100, 3)), got)
        heads_last = np.ascontiguousarray(scene.k.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
        scene.k = heads_last
        assert np.array_equal(scene(q, chain(100, 3)), got)
