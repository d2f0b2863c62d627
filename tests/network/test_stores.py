"""What a layer remembers: rows of a branch that are kept, steps back, copies, windows that wrap, states that return."""

import numpy as np
import pytest
import torch

from llamaspec.errors import LlamaspecError
from llamaspec.kernels import native
from llamaspec.kernels.device import HOST
from llamaspec.kernels.dispatch import kernels_for
from llamaspec.kernels.kv_types import F16, F32, Q8_0
from llamaspec.layers.rope import Rope
from llamaspec.network.cache import Cache
from llamaspec.network.hparams import DeltaNet, Heads, Latent
from llamaspec.network.stores import WINDOW_ROWS, Dense, Window, cells_for, ring_for, store_bytes, store_for

BACKENDS = ["reference", "native"] if native.available() else ["reference"]
TYPES = [F32, F16, Q8_0]


@pytest.fixture(params=BACKENDS)
def kernels(request):
    """A back end of this machine."""
    return kernels_for(HOST, request.param)


def fill(store) -> None:
    """Every byte different from most others."""
    draw = np.random.default_rng(4)
    for plane in store.planes:
        plane.data[:] = (
            plane.data.new_tensor(draw.integers(0, 255, plane.data.shape, np.uint8))
            if isinstance(plane.data, torch.Tensor)
            else draw.integers(0, 255, plane.data.shape, np.uint8)
        )


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_kept_rows_lie_side_by_side(kernels, kind) -> None:
    store = Dense(kernels, 3, 300, [(2, 64, kind), (2, 32, kind)])
    fill(store)
    cache = Cache([store], 3, 300)
    before = [plane.read(1, 0, 20) for plane in store.planes]
    others = [plane.read(slot, 0, 300) for plane in store.planes for slot in (0, 2)]
    cache.commit(1, range(10))
    cache.commit(1, [0, 2, 5])
    assert cache.lengths == [0, 13, 0]
    for plane, was in zip(store.planes, before, strict=True):
        assert np.array_equal(plane.read(1, 0, 13), was[:, [*range(10), 10, 12, 15]])
    after = [plane.read(slot, 0, 300) for plane in store.planes for slot in (0, 2)]
    assert all(np.array_equal(a, b) for a, b in zip(others, after, strict=True))


def test_a_copy_has_the_rows_of_its_source(kernels) -> None:
    store = Dense(kernels, 3, 300, [(2, 64, F16), (1, 96, F16)])
    fill(store)
    cache = Cache([store], 3, 300)
    cache.commit(0, range(9))
    rest = [plane.read(2, 7, 300) for plane in store.planes]
    assert cache.copy(0, 2, 7) == 7
    assert cache.lengths[2] == 7
    for plane, kept in zip(store.planes, rest, strict=True):
        assert np.array_equal(plane.read(2, 0, 7), plane.read(0, 0, 7))
        assert np.array_equal(plane.read(2, 7, 300), kept)


def test_saved_tokens_come_back(kernels) -> None:
    for store in (Dense(kernels, 2, 300, [(2, 64, Q8_0)]), Window(kernels, 2, 100, [(2, 64, F16)], 1024)):
        fill(store)
        for _ in range(9):
            store.commit(0, 0, range(250))
        parts = store.save(0, 250)
        store.load(1, 250, parts)
        assert all(np.array_equal(a, b) for a, b in zip(store.save(1, 250), parts, strict=True))
        with pytest.raises(ValueError):
            store.load(1, 250, [part[:, :-1] for part in parts])


def test_widths_that_a_type_cannot_hold(kernels) -> None:
    with pytest.raises(LlamaspecError, match="32"):
        Dense(kernels, 1, 100, [(2, 64, F16), (2, 48, Q8_0)])


class TestWindow:
    """A ring of cells."""

    WINDOW, RING = 100, 1024

    def store(self, kernels):
        return Window(kernels, 2, self.WINDOW, [(1, 16, F32)], self.RING)

    def write(self, store, cell: int) -> None:
        """What the operation that appends does."""
        store.planes[0].data[0, 0, cell % self.RING] = cell % 251

    def cell(self, store, cell: int) -> int:
        return int(store.planes[0].data[0, 0, cell % self.RING, 0])

    def test_any_reachable_length_has_its_window(self, kernels) -> None:
        """Against a list of all tokens: random commits of chains and paths, and random steps back."""
        draw = np.random.default_rng(1)
        store, cache, known = self.store(kernels), None, 0
        cache = Cache([store], 2, 100_000)
        backs = 0
        for _ in range(400):
            rows = int(draw.integers(1, WINDOW_ROWS))
            for row in range(rows):
                self.write(store, known + row)
            path = sorted(draw.choice(rows, int(draw.integers(1, rows + 1)), replace=False).tolist())
            expected = [(known + row) % 251 for row in path]
            cache.commit(0, path)
            assert [self.cell(store, known + i) for i in range(len(path))] == expected
            for i in range(len(path)):
                self.write(store, known + i)  # as if these tokens had been written there at once
            known += len(path)
            if draw.random() < 0.4:
                wanted = int(draw.integers(max(0, known - 2 * WINDOW_ROWS), known + 1))
                left = cache.truncate(0, wanted)
                assert left in (wanted, 0)
                backs += left > 0
                known = left
                window = range(max(0, known - self.WINDOW + 1), known)
                assert [self.cell(store, cell) for cell in window] == [cell % 251 for cell in window]
        assert backs > 50

    def test_a_recent_step_back_is_always_possible(self, kernels) -> None:
        store = self.store(kernels)
        for length in range(0, 5000, WINDOW_ROWS):
            store.commit(0, length, range(WINDOW_ROWS))
        assert store.truncate(0, length + 1) == length + 1
        assert store.truncate(0, 10) == 0
        store.commit(0, 0, range(10))
        assert store.truncate(0, 5) == 5

    def test_a_short_context_needs_no_ring(self) -> None:
        assert ring_for(100, 512) == 0
        assert ring_for(512, 8192) == 1024
        assert ring_for(1000, 8192) % 256 == 0


@pytest.mark.parametrize(
    "record",
    [
        Heads(4, 2, 64, 32, 0.1),
        Heads(4, 2, 64, 32, 0.1, window=300),
        Latent(4, 0, 64, 32, 32, 0.1, Rope(32, 1e4)),
    ],
    ids=lambda record: type(record).__name__ + str(getattr(record, "window", "")),
)
@pytest.mark.parametrize("context", [100, 5000])
def test_memory_is_foretold(kernels, record, context) -> None:
    types = (F16, Q8_0)
    told, made = store_bytes(record, 3, context, types), store_for(record, kernels, 3, context, types).bytes
    assert told <= made <= told * 1.01


def test_keys_of_a_latent_layer_are_its_values(kernels) -> None:
    store = store_for(Latent(4, 0, 64, 32, 32, 0.1, Rope(32, 1e4)), kernels, 1, 100, (F16, F16))
    assert [plane.data.shape for plane in store.planes] == [(1, 1, cells_for(100), 2 * 96)]


class Limited(Dense):
    """A store that can go back to multiples of a step only."""

    def __init__(self, kernels, step: int) -> None:
        super().__init__(kernels, 1, 100, [(1, 16, F32)])
        self.step = step

    def truncate(self, slot: int, length: int) -> int:
        return length // self.step * self.step


def test_a_cache_goes_back_to_where_every_store_can(kernels) -> None:
    cache = Cache([Limited(kernels, 6), Limited(kernels, 4)], 1, 100)
    cache.commit(0, range(60))
    assert cache.truncate(0, 47) == 36
    assert cache.lengths == [36]
    assert cache.truncate(0, 11) == 0


def test_states_return_to_checkpoints(kernels) -> None:
    record = DeltaNet(4, 2, 8, 4, True)
    store = store_for(record, kernels, 1, 4096, (F32, F32))
    cache = Cache([store], 1, 4096)
    rows = store.draft_rows
    for _ in range(2000 // rows):
        cache.commit(0, range(rows))
    back = cache.truncate(0, 1200)
    assert back in (0, 512, 1024) or back == 1200
    assert cache.truncate(0, 3) in (0, 3)
