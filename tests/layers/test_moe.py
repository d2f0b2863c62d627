"""Which experts a row is sent to, and that sending rows only there gives the bits of asking every expert."""

import pytest
import torch

from llamaspec.kernels import native
from llamaspec.kernels.dispatch import ExpertParts, Kernels, kernels_for
from llamaspec.layers.linear import Linear
from llamaspec.layers.mlp import SwiGLU
from llamaspec.layers.moe import Experts
from llamaspec.weights.tensor import QuantizedTensor
from tests.kernels.native_data import values, weight

CPU = torch.device("cpu")
needs_native = pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")
KINDS = {"quantised": ("Q4_K", 256, 512), "odd": ("F16", 45, 37), "float": ("F32", 64, 96)}
"""Type, D and F."""


def router(kernels: Kernels, values: torch.Tensor) -> Linear:
    """values [E, D] float32."""
    data = values.view(torch.uint8).view(len(values), -1)
    return Linear(kernels.prepare(QuantizedTensor(data, "F32", tuple(values.shape), "router")), None, kernels)


def mixture(kernels: Kernels, kind: str, count: int, used: int, biases: bool = False) -> Experts:
    """Random experts."""
    name, width, inner = KINDS[kind]
    draw = torch.Generator().manual_seed(3)

    def linear(out: int, columns: int, seed: int) -> Linear:
        bias = torch.randn(out, generator=draw) if biases else None
        return Linear(kernels.prepare(weight(name, out, columns, seed)), bias, kernels)

    experts = [
        SwiGLU(linear(inner, width, 3 * i), linear(inner, width, 3 * i + 1), linear(width, inner, 3 * i + 2), kernels)
        for i in range(count)
    ]
    return Experts(router(kernels, torch.randn(count, width, generator=draw)), experts, used)


def bits(x: torch.Tensor) -> torch.Tensor:
    return x.view(torch.int32)


def test_weights_are_those_of_the_definition():
    experts = mixture(kernels_for(CPU, "reference"), "float", 8, 3)
    x = torch.randn(20, 64, generator=torch.Generator().manual_seed(1))
    chosen, weights = experts.route(x)
    for row, ids, shares in zip(experts.router(x).double(), chosen.tolist(), weights.double(), strict=True):
        best = sorted(row.argsort(descending=True)[:3].tolist())
        assert ids == best
        torch.testing.assert_close(shares, torch.softmax(row[best], 0), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("count", [4, 8, 40, 128])
def test_of_equal_experts_the_first_ones_win(count):
    kernels = kernels_for(CPU, "reference")
    experts = mixture(kernels, "float", count, 3)
    level = torch.zeros(count, 64)
    level[count - 1] = 1.0  # one is better, all others are equal
    experts.router = router(kernels, level)
    chosen, weights = experts.route(torch.ones(5, 64))
    assert chosen.tolist() == [[0, 1, count - 1]] * 5
    assert torch.equal(weights[:, 0], weights[:, 1])
    assert (weights[:, 2] > weights[:, 0]).all()


@needs_native
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("used", [1, 2, 5, 6])
@pytest.mark.parametrize("kind", KINDS)
def test_gathered_rows_have_the_bits_of_all_experts(kind, used, threads):
    kernels = kernels_for(CPU, "native", threads=threads)
    experts = mixture(kernels, kind, 6, used, biases=kind == "odd")
    x = values(64, KINDS[kind][1])
    residual = values(64, KINDS[kind][1], seed=1)
    with torch.inference_mode():
        alone = torch.cat([experts(x[i : i + 1], residual[i : i + 1]) for i in range(64)])
        for rows in (1, 2, 7, 16, 64):
            for start in (0, 64 - rows):
                part = slice(start, start + rows)
                assert torch.equal(bits(experts(x[part], residual[part])), bits(alone[part])), (rows, start)
        dense = residual + experts.dense(x, *experts.route(x))
    assert torch.equal(bits(alone), bits(dense))


@needs_native
def test_no_rows():
    experts = mixture(kernels_for(CPU, "native", threads=1), "float", 4, 2)
    assert experts(torch.empty(0, 64), torch.empty(0, 64)).shape == (0, 64)


@needs_native
def test_an_expert_that_overflows_spoils_only_its_own_rows():
    kernels = kernels_for(CPU, "native", threads=1)
    experts = mixture(kernels, "float", 4, 1)
    infinite = torch.full((64, 96), torch.inf).view(torch.uint8).view(64, -1)
    parts = []
    for number, expert in enumerate(experts.experts):
        gate, up, down = (linear.matrix for linear in (*expert.gate_up.parts, expert.down))
        if number == 2:
            down = kernels.prepare(QuantizedTensor(infinite, "F32", (64, 96), "infinite"))
        parts.append(ExpertParts(gate, up, down, [None] * 3))
    gathered = kernels.gather(parts)
    assert gathered is not None
    x = torch.randn(32, 64, generator=torch.Generator().manual_seed(2))
    chosen, weights = experts.route(x)
    finite = gathered(x, chosen, weights).isfinite().all(1)
    assert torch.equal(finite, chosen[:, 0] != 2)
    assert not finite.all()


@needs_native
def test_experts_of_unequal_shape_are_refused():
    kernels = kernels_for(CPU, "native", threads=1)

    def expert(inner: int) -> ExpertParts:
        shapes = [(inner, 32), (inner, 32), (32, inner)]
        return ExpertParts(*(kernels.prepare(weight("F32", *shape)) for shape in shapes), biases=[None] * 3)

    with pytest.raises(ValueError, match="an expert"):
        kernels.gather([expert(16), expert(24)])
