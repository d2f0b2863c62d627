"""Native norm, rotation, element-wise functions and attention against torch, and their row invariance."""

import pytest
import torch
from llamaspec.kernels.held import Q8_0, loaded, packed
from torch import Tensor

from llamaspec.kernels.dispatch import KVIndex
from llamaspec.kernels.native import ops
from llamaspec.kernels.reference import Reference

from .native_data import ISAS, instructions, needs_library, values

pytestmark = needs_library
TORCH = Reference(torch.device("cpu"))


def near(got: Tensor, expected: Tensor, steps: float = 8.0) -> bool:
    """Within some float32 roundings of the largest value of each row."""
    size = expected.double().abs().amax(-1, keepdim=True).clamp(min=1e-30)
    return bool(((got.double() - expected.double()).abs() / size).max() < steps * 2**-24)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("width", [1, 7, 16, 48, 64, 100, 896, 2048])
def test_rms_norm(width: int, isa: str) -> None:
    with instructions(isa):
        x, w = values(21, width), torch.randn(width)
        got = ops.rms_norm(x, w, 1e-6)
        exact = x.double() * torch.rsqrt(x.double().pow(2).mean(-1, keepdim=True) + 1e-6) * w.double()
        assert near(got, exact)
        assert torch.equal(ops.rms_norm(x, None, 1e-6), ops.rms_norm(x, torch.ones(width), 1e-6))
        for i in (0, 5, 20):
            assert torch.equal(ops.rms_norm(x[i : i + 1], w, 1e-6), got[i : i + 1])
        assert torch.equal(ops.rms_norm(x.repeat(50, 1), w, 1e-6, threads=3), got.repeat(50, 1))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize(("width", "n_rot"), [(64, 64), (128, 128), (80, 32), (6, 6), (8, 2)])
def test_rotate(width: int, n_rot: int, interleaved: bool, isa: str) -> None:
    with instructions(isa):
        x = torch.randn(9, 3, width)
        angles = torch.rand(9, n_rot // 2) * 1000
        cos, sin = angles.cos(), angles.sin()
        got = ops.rotate(x, cos, sin, interleaved)
        assert near(got, TORCH.rotate(x.double(), cos.double(), sin.double(), interleaved))
        assert torch.equal(ops.rotate(x[4:6], cos[4:6], sin[4:6], interleaved), got[4:6])
        assert torch.equal(got[..., n_rot:], x[..., n_rot:])


@pytest.mark.parametrize("isa", ISAS)
def test_silu_mul_over_the_whole_range(isa: str) -> None:
    with instructions(isa):
        gate = torch.cat((torch.linspace(-120, 120, 4001), torch.tensor([0.0, -0.0, 1e-30, 1e38, -1e38]))).view(2, -1)
        up = torch.rand(gate.shape) * 2 - 1
        exact = torch.nn.functional.silu(gate.double()) * up.double()
        got = ops.silu_mul(gate, up)
        assert ((got - exact).abs() <= 8 * 2**-24 * exact.abs() + 1e-36).all()
        assert torch.equal(ops.silu_mul(gate[:, 40:47], up[:, 40:47]), got[:, 40:47])
        assert ops.silu_mul(torch.tensor([float("nan")]), torch.ones(1)).isnan().all()


def test_add() -> None:
    a, b = torch.randn(70, 1001), torch.randn(70, 1001)
    assert torch.equal(ops.add(a, b, threads=2), a + b)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_store(dtype: torch.dtype) -> None:
    cache = torch.zeros(3, 2, 10, 20, dtype=dtype)
    x = torch.randn(4, 2, 20) * 10 ** torch.linspace(-8, 5, 20)
    x[0, 0, 0], x[0, 1, 1] = 1 + 2**-8, 1 + 3 * 2**-8  # ties of bf16, to either side
    x[1, 1, 3], x[2, 0, 4] = float("inf"), 3.4e38
    slots, cells = torch.tensor([0, 2, 2, 1]), torch.tensor([9, 0, 1, 5])
    expected = cache.clone()
    expected[slots, :, cells] = x.to(dtype)
    ops.store(x, cache, slots, cells)
    assert torch.equal(cache, expected)
    with pytest.raises(IndexError):
        ops.store(x, cache, slots, cells + 1)


@pytest.mark.parametrize("seed", range(5))
def test_store_packs_with_the_bits_of_the_reference(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(6, 2, 64, generator=draw) * 10 ** (torch.rand(6, 2, 64, generator=draw) * 12 - 9)
    x[0, 0, :32], x[1, 0], x[2, 1] = 0, 1e-42, 3e9
    x[3, 0] = torch.arange(64) - 0.5  # ties
    x[4, 0, 5], x[4, 1, 40], x[5, 0, 0] = float("nan"), float("inf"), float("-inf")
    slots, cells = torch.tensor([0, 2, 2, 1, 0, 1]), torch.tensor([9, 0, 1, 5, 0, 2])
    cache, expected = (torch.full((3, 2, 10, 68), 7, dtype=torch.uint8) for _ in range(2))
    TORCH.append(expected, x, slots, cells)
    ops.store(x, cache, slots, cells)
    assert torch.equal(loaded(cache).isnan(), loaded(expected).isnan())
    known = ~loaded(expected).isnan().view(3, 2, 10, 2, 32).any(-1)  # the bits of a NaN are free
    assert torch.equal(cache.view(3, 2, 10, 2, 34)[known], expected.view(3, 2, 10, 2, 34)[known])
    assert not torch.equal(loaded(cache).isnan().any(), torch.tensor(False))
    with pytest.raises(ValueError, match="does not fit"):
        ops.store(torch.randn(6, 2, 48), cache, slots, cells)


def scene(
    n: int, heads: int, kv: int, width: int, length: int, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(n + heads + width + length)
    q = torch.randn(n, heads, width, generator=draw) * 2
    k, v = (torch.randn(2, kv, length, width, generator=draw).to(dtype) for _ in range(2))
    return q, k, v


def attention(q: Tensor, k: Tensor, v: Tensor, index: KVIndex, scale: float) -> Tensor:
    """In float64, one row at a time."""
    out = []
    for n in range(len(q)):
        cells = list(range(int(index.positions[n]) + 1))
        if index.paths is not None:
            known = int(index.lengths[n])
            cells = cells[:known] + [int(index.paths[n, p - known]) for p in cells[known:]]
        keys, values_ = (
            x[int(index.slots[n])][:, cells].double().repeat_interleave(q.shape[1] // k.shape[1], 0) for x in (k, v)
        )
        weights = (torch.einsum("hd,hcd->hc", q[n].double(), keys) * scale).softmax(1)
        out.append(torch.einsum("hc,hcd->hd", weights, values_))
    return torch.stack(out)


def chain(positions: list[int], slots: list[int] | None = None) -> KVIndex:
    n = len(positions)
    where = torch.tensor(positions)
    return KVIndex(
        where, torch.tensor(slots or [0] * n), torch.full((n,), min(positions)), None, max(positions) // 256 + 1
    )


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("heads", "kv", "width"), [(4, 4, 64), (14, 2, 64), (9, 1, 24), (8, 2, 6), (12, 1, 128)])
def test_attention(heads: int, kv: int, width: int, dtype: torch.dtype, isa: str) -> None:
    with instructions(isa):
        q, k, v = scene(5, heads, kv, width, 300, dtype)
        index = chain([0, 63, 64, 130, 299], [0, 1, 0, 1, 1])
        got = ops.attend(q, k, v, index, 0.3)
        exact = attention(q, k, v, index, 0.3)
        assert (got - exact).abs().max() < 4e-6
        for i in range(5):
            alone = KVIndex(index.positions[i : i + 1], index.slots[i : i + 1], index.lengths[i : i + 1], None, 2)
            for threads in (1, 3):
                assert torch.equal(ops.attend(q[i : i + 1], k, v, alone, 0.3, threads=threads), got[i : i + 1])


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize(("heads", "kv", "width"), [(4, 4, 64), (14, 2, 96), (12, 1, 128), (3, 3, 32)])
def test_attention_over_packed_rows(heads: int, kv: int, width: int, isa: str) -> None:
    """Exactly what float32 rows of the unpacked values give; close to the rows before they were packed."""
    with instructions(isa):
        q, k, v = scene(5, heads, kv, width, 300)
        keys, values_ = packed(k, Q8_0), packed(v, Q8_0)
        index = chain([0, 63, 64, 130, 299], [0, 1, 0, 1, 1])
        got = ops.attend(q, keys, values_, index, 0.1)
        assert torch.equal(got, ops.attend(q, loaded(keys), loaded(values_), index, 0.1))
        assert (got - TORCH.attend(q, keys, values_, index, 0.1)).abs().max() < 4e-6
        assert (got - attention(q, k, v, index, 0.1)).pow(2).mean() < 4e-4 * got.pow(2).mean()
        for i in range(5):
            alone = KVIndex(index.positions[i : i + 1], index.slots[i : i + 1], index.lengths[i : i + 1], None, 2)
            for threads in (1, 3):
                assert torch.equal(ops.attend(q[i : i + 1], keys, values_, alone, 0.1, threads=threads), got[i : i + 1])
        for types in ((Q8_0, torch.float32), (torch.bfloat16, Q8_0), (torch.float16, torch.bfloat16)):
            one, other = (packed(x, dtype) for x, dtype in zip((k, v), types, strict=True))
            mixed = ops.attend(q, one, other, index, 0.1)
            assert torch.equal(mixed, ops.attend(q, loaded(one), loaded(other), index, 0.1))
    with pytest.raises(ValueError, match="do not fit"):
        ops.attend(q[..., :16], keys, values_, index, 0.1)
    with pytest.raises(ValueError, match="KV_TYPES"):
        ops.attend(q, k.double(), v, index, 0.1)


@pytest.mark.parametrize("isa", ISAS)
def test_a_branch_has_the_bits_of_plain_decoding(isa: str) -> None:
    """Rows 60.. of a tree with branches 0-1-3 and 0-2-4, stored in cells 60..64 in order of the batch."""
    with instructions(isa):
        q, k, v = scene(5, 6, 2, 64, 80)
        paths = torch.tensor([[60, 60, 60], [60, 61, 60], [60, 62, 60], [60, 61, 63], [60, 62, 64]])
        index = KVIndex(
            torch.tensor([60, 61, 61, 62, 62]), torch.zeros(5, dtype=torch.int64), torch.full((5,), 60), paths, 1
        )
        got = ops.attend(q, k, v, index, 0.125)
        plain_k, plain_v = k.clone(), v.clone()
        for cell, origin in ((61, 62), (62, 64)):
            plain_k[:, :, cell], plain_v[:, :, cell] = k[:, :, origin], v[:, :, origin]
        assert torch.equal(got[4:], ops.attend(q[4:], plain_k, plain_v, chain([62]), 0.125))
        assert (got - attention(q, k, v, index, 0.125)).abs().max() < 4e-6


def test_attention_does_not_depend_on_the_size_or_order_of_the_cache() -> None:
    q, k, v = scene(3, 4, 2, 32, 200)
    got = ops.attend(q, k, v, chain([10, 70, 150]), 0.2)
    longer = [torch.cat((x, torch.full((2, 2, 500, 32), float("nan"))), dim=2) for x in (k, v)]
    assert torch.equal(ops.attend(q, *longer, chain([10, 70, 150]), 0.2), got)
    cells_first = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in (k, v)]
    assert torch.equal(ops.attend(q, *cells_first, chain([10, 70, 150]), 0.2), got)


def test_window_softcap_and_sinks() -> None:
    q, k, v = scene(1, 4, 2, 32, 200)
    index, scale = chain([150]), 0.3
    sinks = torch.randn(4)
    scores = torch.einsum("hd,hcd->hc", q[0].double(), k[0].double().repeat_interleave(2, 0)[:, :151]) * scale
    scores = 5 * torch.tanh(scores / 5)
    scores[:, : 151 - 40] = float("-inf")
    weights = torch.cat((scores, sinks.double().unsqueeze(1)), 1).softmax(1)[:, :-1]
    expected = torch.einsum("hc,hcd->hd", weights, v[0].double().repeat_interleave(2, 0)[:, :151])
    got = ops.attend(q, k, v, index, scale, window=40, softcap=5.0, sinks=sinks)
    assert (got[0] - expected).abs().max() < 4e-6


def test_values_of_another_width() -> None:
    q, k, v = scene(2, 4, 2, 32, 100)
    got = ops.attend(q, k, v[..., :20], chain([50, 99]), 0.2)
    assert torch.equal(got, ops.attend(q, k, v, chain([50, 99]), 0.2)[..., :20])
