"""The reference's attention: cells out of sight reach nobody, whatever they hold, and widths may differ."""

import pytest
import torch

from llamaspec.kernels.kv_types import F32, Q8_0
from llamaspec.kernels.planes import Plane
from llamaspec.kernels.protocol import KVIndex
from llamaspec.kernels.records import Attend
from llamaspec.kernels.reference.attention import attend

HOW = Attend(4, 2, 32, 64, 0.2)


def plane(values: torch.Tensor, kind=F32) -> Plane:
    """values [S, K, C, head]."""
    return Plane(kind.encode(values), kind)


def filled(slots: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys [S, 2, 512, 32] and values [S, 2, 512, 64]."""
    draw = torch.Generator().manual_seed(1)
    return torch.randn(slots, 2, 512, 32, generator=draw), torch.randn(slots, 2, 512, 64, generator=draw)


def chain(positions: list[int]) -> KVIndex:
    at = torch.tensor(positions)
    zeros = torch.zeros_like(at)
    return KVIndex(at, zeros, zeros, None, max(positions) // 256 + 1)


def tree() -> KVIndex:
    """Two branches behind 300 cells: rows of cells 300, 301 (its child) and 302 (its other child)."""
    positions, zeros = torch.tensor([300, 301, 301]), torch.zeros(3, dtype=torch.int64)
    return KVIndex(positions, zeros, torch.full((3,), 300), torch.tensor([[300, 0], [300, 301], [300, 302]]), 2)


def softmax(q, keys, values, cells, how, sinks=None):
    """One row and head in float64: the definition."""
    scores = (keys[cells].double() @ q.double()) * how.scale
    if how.softcap:
        scores = how.softcap * torch.tanh(scores / how.softcap)
    if sinks is not None:
        scores = torch.cat((scores, sinks.double().view(1)))
        values = torch.cat((values[cells].double(), torch.zeros(1, values.shape[1])))
        return torch.softmax(scores, 0) @ values
    return torch.softmax(scores, 0) @ values[cells].double()


@pytest.mark.parametrize("kind", [F32, Q8_0], ids=lambda kind: kind.name)
@pytest.mark.parametrize("window", [0, 7, 290])
@pytest.mark.parametrize("softcap", [0.0, 3.0])
@pytest.mark.parametrize("sinks", [False, True])
def test_variants_over_a_tree(kind, window, softcap, sinks):
    keys, values = filled()
    logits = torch.tensor([0.5, -1.0, 2.0, 0.0]) if sinks else None
    how = Attend(4, 2, 32, 64, 0.2, window, softcap, logits)
    q = torch.randn(3, 4 * 32, generator=torch.Generator().manual_seed(2))
    stored = plane(keys, kind), plane(values, kind)
    got = attend(q, *stored, tree(), how).view(3, 4, 64)
    k, v = (kind.decode(each.data)[0] for each in stored)
    for row, tail in enumerate(([300], [300, 301], [300, 302])):
        cells = [*range(300), *tail]
        cells = cells[-window:] if window else cells
        for head in range(4):
            sink = None if logits is None else logits[head]
            own = q[row].view(4, 32)[head]
            expected = softmax(own, k[head // 2], v[head // 2], cells, how, sink)
            assert torch.allclose(got[row, head].double(), expected, atol=1e-5)


def test_chunks():
    """A row sees its own chunk of 7 positions: 300 is the 7th of [294, 301), 301 the first of the next."""
    keys, values = filled()
    q = torch.randn(3, 4 * 32, generator=torch.Generator().manual_seed(2))
    how = Attend(4, 2, 32, 64, 0.2, 7, chunked=True)
    got = attend(q, plane(keys), plane(values), tree(), how).view(3, 4, 64)
    for row, cells in enumerate(([*range(294, 301)], [301], [302])):
        own = q[row].view(4, 32)[1]
        assert torch.allclose(got[row, 1].double(), softmax(own, keys[0, 0], values[0, 0], cells, how), atol=1e-5)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("shape", ["chain", "tree"])
@pytest.mark.parametrize("of", ["keys", "values"])
def test_a_hidden_cell_that_is_not_finite_reaches_nobody(bad, shape, of):
    index = chain([298, 300]) if shape == "chain" else tree()
    n, cell = len(index.positions), 299 if shape == "chain" else 302
    q = torch.randn(n, 4 * 32, generator=torch.Generator().manual_seed(2))
    keys, values = filled()
    clean = attend(q, plane(keys), plane(values), index, HOW)
    (keys if of == "keys" else values)[0, :, cell] = bad
    got = attend(q, plane(keys), plane(values), index, HOW)
    seeing = n - 1  # only the last row sees the cell
    assert torch.equal(got[:seeing], clean[:seeing])
    if of == "values":
        assert not got[seeing].isfinite().all()


def test_a_window_that_hides_the_first_block():
    keys, values = filled()
    how = Attend(4, 2, 32, 64, 0.2, window=20)
    q = torch.randn(1, 4 * 32)
    got = attend(q, plane(keys), plane(values), chain([500]), how)
    assert got.isfinite().all()
    expected = softmax(q[0, :32], keys[0, 0], values[0, 0], list(range(481, 501)), how)
    assert torch.allclose(got[0, :64].double(), expected, atol=1e-5)
