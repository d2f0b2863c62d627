"""Which positions a row attends to, and attention to those alone, on the tape and in torch."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from llamaspec.kernels import kv_types
from llamaspec.kernels.native import structures as c
from llamaspec.kernels.planes import Plane
from llamaspec.kernels.protocol import KVIndex
from llamaspec.kernels.records import Index as Choice
from llamaspec.kernels.reference.attention import choose

from .native_data import ISAS, instructions, needs_library
from .native_tape import Call, Index, chain, plane, room, together, tree, view
from .test_native_tape_attend import Scene, normal

pytestmark = needs_library
HEADS, SIZE, USED = 3, 20, 9
INDICES = {
    "a chain": chain(60, 7),
    "from the start": chain(0, 30),
    "a tree": tree(50, [-1, 0, 0, 2, 1]),
    "two sequences": together(chain(40, 3), tree(5, [-1, 0, 0, 1, 3, 4], 1)),
}


@pytest.fixture(params=ISAS, autouse=True)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    with instructions(request.param):
        yield request.param


def cells_of(index: Index, row: int) -> np.ndarray:
    """Cells of the row's positions from 0 on."""
    cells = np.arange(index.positions[row] + 1)
    if index.paths is not None:
        length = index.lengths[row]
        cells[length:] = index.paths[row, : len(cells) - length]
    return cells


def chosen(index: Index, keys: np.ndarray, seed: int = 0, threads: int = 1) -> np.ndarray:
    """[n, USED] int32."""
    n = len(index.positions)
    q, weights, y = normal(n, HEADS * SIZE, seed=seed), normal(n, HEADS, seed=seed), room(n, USED)
    op = c.IndexOp(view(q), view(weights), view(y), 0, HEADS, SIZE, USED)
    assert Call(n, index, [plane(keys, 0)], threads=threads).run((c.OpKind.INDEX, op)) == c.PassResult.DONE
    return np.ascontiguousarray(y).view(np.int32)


@pytest.mark.parametrize("name", INDICES)
def test_the_best_positions_in_order(name: str) -> None:
    index, keys = INDICES[name], normal(2, 1, 90, SIZE)
    n = len(index.positions)
    got, q, weights = chosen(index, keys), normal(n, HEADS * SIZE), normal(n, HEADS)
    assert np.array_equal(chosen(index, keys, threads=2)[got[:, 0] >= 0], got[got[:, 0] >= 0])
    for row in range(n):
        cells = cells_of(index, row)
        if len(cells) <= USED:
            assert got[row, 0] == -1
            continue
        near = keys[index.slots[row], 0, cells].astype(np.float64) @ q[row].reshape(HEADS, SIZE).T
        scores = np.maximum(near, 0) @ weights[row]
        assert got[row].tolist() == sorted(np.argsort(-scores, kind="stable")[:USED].tolist())


@pytest.mark.parametrize("name", INDICES)
def test_torch_chooses_the_same(name: str) -> None:
    index, keys = INDICES[name], normal(2, 1, 300, SIZE)
    n = len(index.positions)
    columns = [torch.from_numpy(np.ascontiguousarray(x)) for x in (index.positions, index.slots, index.lengths)]
    paths = None if index.paths is None else torch.from_numpy(index.paths)
    held = Plane(kv_types.F32.encode(torch.from_numpy(keys)), kv_types.F32)
    q, weights = (torch.from_numpy(normal(n, width)) for width in (HEADS * SIZE, HEADS))
    seen = choose(q, weights, held, KVIndex(*columns, paths, 1), Choice(HEADS, SIZE, USED))
    for row, numbers in enumerate(chosen(index, keys)):
        own = seen[row, : index.positions[row] + 1]
        assert own.nonzero().flatten().tolist() == (numbers.tolist() if numbers[0] >= 0 else list(range(len(own))))


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("name", INDICES)
def test_attention_sees_the_chosen_alone(name: str, prefix: bool) -> None:
    """As if a sequence had no other positions; where everything is chosen, the bits are those without a choice."""
    scene = Scene(4, 2, 64, 32 if prefix else 64, 90, ("f16", "f16"), prefix=prefix)
    index, keys = INDICES[name], normal(2, 1, 90, SIZE)
    n = len(index.positions)
    q, numbers, y = normal(n, 4 * 64), chosen(index, keys), room(n, 4 * scene.value)
    given = numbers.view(np.float32)
    planes = [plane(scene.k, 1)] if prefix else [plane(scene.k, 1), plane(scene.v, 1)]
    op = c.AttendOp(
        view(q), view(y), None, 0, len(planes) - 1, 4, 2, 64, scene.value, 0, 0, scene.scale, 0, view(given)
    )  # fmt: skip
    assert Call(n, index, planes).run((c.OpKind.ATTEND, op)) == c.PassResult.DONE
    everything = scene(q, index)
    for row in range(n):
        if numbers[row, 0] < 0:
            assert np.array_equal(y[row], everything[row])
            continue
        slot, cells = index.slots[row], cells_of(index, row)[numbers[row]]
        alone = Scene(4, 2, 64, scene.value, USED, ("f16", "f16"), prefix=prefix)
        alone.k, alone.v = scene.k[slot : slot + 1, :, cells], scene.v[slot : slot + 1, :, cells]
        assert np.array_equal(y[row : row + 1], alone(q[row : row + 1], chain(USED - 1, 1)))
