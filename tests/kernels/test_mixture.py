"""Which experts a row is sent to, and with which weights, against the steps of spec/models.md 1.4 in plain Python."""

import math

import numpy as np
import pytest
import torch

from llamaspec.kernels import native
from llamaspec.kernels.device import HOST
from llamaspec.kernels.dispatch import kernels_for
from llamaspec.kernels.protocol import Batch, Experts, KVIndex
from llamaspec.kernels.records import GATINGS, Routing
from llamaspec.weights.tensor import QuantizedTensor

BACKENDS = ["reference", "native"] if native.available() else ["reference"]
CPU = HOST


def batch(n: int) -> Batch:
    at = torch.arange(n)
    zeros = torch.zeros_like(at)
    return Batch(zeros, at, zeros, at, KVIndex(at, zeros, zeros, None, 1), None)


def routed(backend: str, logits: torch.Tensor, bias: torch.Tensor | None, how: Routing):
    """Numbers and weights as lists."""
    ops = kernels_for(CPU, backend).operations(batch(len(logits)), [], [])
    if backend == "reference":
        chosen, weights = ops.route(logits, bias, how)
        return chosen.tolist(), weights.tolist()
    from llamaspec.kernels.native.operations import Value

    rows = Value(np.ascontiguousarray(logits.numpy()), logits.shape[1], logits.shape[1])
    chosen, weights = ops.route(rows, None if bias is None else bias.numpy(), how)
    return chosen.base.view(np.int32).tolist(), weights.base.tolist()


def by_hand(logits: list[float], bias: list[float] | None, how: Routing) -> dict[int, float]:
    """One row."""
    count = len(logits)
    if how.gating == "softmax":
        peak = max(logits)
        total = sum(math.exp(x - peak) for x in logits)
        probs = [math.exp(x - peak) / total for x in logits]
    elif how.gating == "sigmoid":
        probs = [1 / (1 + math.exp(-x)) for x in logits]
    elif how.gating == "sqrt_softplus":
        probs = [math.sqrt(math.log1p(math.exp(x))) for x in logits]
    else:
        probs = list(logits)
    scores = [p + b for p, b in zip(probs, bias or [0.0] * count, strict=True)]
    allowed = set(range(count))
    if how.groups > 1:
        size = count // how.groups
        worth = [sum(sorted(scores[g * size : (g + 1) * size])[-2:]) for g in range(how.groups)]
        best = sorted(range(how.groups), key=lambda g: -worth[g])[: how.groups_used]
        allowed = {e for g in best for e in range(g * size, (g + 1) * size)}
    chosen = sorted(allowed, key=lambda e: (-scores[e], e))[: how.used]
    weights = {e: probs[e] for e in chosen}
    if how.gating == "chosen_softmax":
        total = sum(math.exp(x) for x in weights.values())
        weights = {e: math.exp(x) / total for e, x in weights.items()}
    if how.normalize:
        total = max(sum(weights.values()), 6.1035e-5)
        weights = {e: w / total for e, w in weights.items()}
    return {e: w * how.scale for e, w in weights.items()}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("gating", GATINGS)
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize(("groups", "groups_used"), [(1, 1), (4, 2)])
@pytest.mark.parametrize(("normalize", "scale"), [(True, 1.0), (False, 2.5)])
def test_weights_are_those_of_the_definition(backend, gating, biased, groups, groups_used, normalize, scale):
    how = Routing(3, gating, normalize, scale, groups, groups_used)
    draw = torch.Generator().manual_seed(1)
    logits = torch.randn(40, 16, generator=draw)
    bias = torch.randn(16, generator=draw) if biased else None
    chosen, weights = routed(backend, logits, bias, how)
    for row, numbers, shares in zip(logits.double().tolist(), chosen, weights, strict=True):
        expected = by_hand(row, None if bias is None else bias.tolist(), how)
        assert numbers == sorted(expected)
        np.testing.assert_allclose(shares, [expected[e] for e in numbers], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [4, 8, 40, 128])
def test_of_equal_experts_the_first_ones_win(backend, count):
    logits = torch.zeros(5, count)
    logits[:, count - 1] = 1.0  # one is better, all others are equal
    chosen, weights = routed(backend, logits, None, Routing(3))
    assert chosen == [[0, 1, count - 1]] * 5
    assert all(row[0] == row[1] < row[2] for row in weights)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_expert_that_overflows_spoils_only_its_own_rows(backend):
    kernels = kernels_for(CPU, backend)
    draw = torch.Generator().manual_seed(2)
    stacks = [torch.randn(4, *shape, generator=draw) for shape in ((96, 64), (96, 64), (64, 96))]
    stacks[2][2] = torch.inf
    gate, up, down = (kernels.prepare(QuantizedTensor.of_floats(stack)) for stack in stacks)
    experts = Experts(gate, up, down, (None, None, None), "silu")
    x, logits = torch.randn(32, 64, generator=draw), torch.randn(32, 4, generator=draw)
    ops = kernels.operations(batch(32), [], [])
    chosen = routed(backend, logits, None, Routing(1))[0]
    if backend == "reference":
        y = ops.experts(experts, x, *ops.route(logits, None, Routing(1)))
    else:
        from llamaspec.kernels.native.operations import Value

        rows = [Value(np.ascontiguousarray(each.numpy()), each.shape[1], each.shape[1]) for each in (x, logits)]
        y = torch.from_numpy(ops.experts(experts, rows[0], *ops.route(rows[1], None, Routing(1))).base)
    finite = y.isfinite().all(1).tolist()
    assert finite == [row != [2] for row in chosen]
    assert not all(finite)
