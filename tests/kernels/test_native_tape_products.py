"""Operations of the tape with matrices: products of one x, stacks by head, routing, experts."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from llamaspec.kernels.native import structures as c
from llamaspec.kernels.native.packed import Packed
from llamaspec.kernels.unpack import dequantize
from llamaspec.weights.tensor import QuantizedTensor

from .native_data import ISAS, instructions, needs_library, weight
from .native_tape import Call, address, room, spread, view

pytestmark = needs_library
ROWS = (1, 2, 7, 16, 64)


@pytest.fixture(params=ISAS, autouse=True)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    with instructions(request.param):
        yield request.param


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def matrices(kind: str, count: int, n: int, k: int, seed: int = 0) -> QuantizedTensor:
    """count matrices [n, k]."""
    return QuantizedTensor(weight(kind, count * n, k, seed).data, kind, (count, n, k), "stack")


def stack(kind: str, count: int, n: int, k: int, seed: int = 0) -> tuple[Packed, np.ndarray]:
    """count matrices [n, k], and their values."""
    source = matrices(kind, count, n, k, seed)
    return Packed(source), dequantize(source).numpy()


def same(got: np.ndarray, expected: np.ndarray) -> None:
    assert np.array_equal(np.ascontiguousarray(got), np.ascontiguousarray(expected))


def run(call: Call, *ops: tuple) -> None:
    assert call.run(*ops) == c.PassResult.DONE


class TestProducts:
    @pytest.mark.parametrize("n", ROWS)
    def test_several_matrices_of_one_x(self, n: int) -> None:
        """Types of different preparation, biases, residuals of their own steps, one of them in place."""
        kinds = [("Q4_K", 40), ("Q4_K", 17), ("Q6_K", 16), ("F16", 9), ("Q4_0", 33)]
        matrices = [Packed(weight(kind, out, 256)) for kind, out in kinds]
        x, bias, residual = spread(normal(n, 256)), normal(17), spread(normal(n, 40), 9)
        ys = [room(n, out) for _, out in kinds]
        ys[2][:] = normal(n, 16)
        before = ys[2].copy()
        extra = [view(residual), view(None), view(ys[2]), view(None), view(None)]
        biases = [None, bias, None, None, None]
        parts = (c.Part * 5)(
            *(c.Part(m.handle, address(b), view(y), r) for m, b, y, r in zip(matrices, biases, ys, extra, strict=True))
        )
        op = c.ProductsOp(view(x), address_of(parts), 5)
        run(Call(n, threads=2), (c.OpKind.PRODUCTS, op))
        plain = [matrix.matmul(x) for matrix in matrices]
        for y, exact in zip(ys, [plain[0] + residual, plain[1] + bias, plain[2] + before, *plain[3:]], strict=True):
            same(y, exact)

    def test_many_parts(self) -> None:
        """More than are multiplied at once."""
        matrices = [Packed(weight("Q8_0", 16 + i, 64, i)) for i in range(37)]
        x, ys = normal(3, 64), [room(3, 16 + i) for i in range(37)]
        parts = (c.Part * 37)(*(c.Part(m.handle, None, view(y)) for m, y in zip(matrices, ys, strict=True)))
        run(Call(3), (c.OpKind.PRODUCTS, c.ProductsOp(view(x), address_of(parts), 37)))
        for matrix, y in zip(matrices, ys, strict=True):
            same(y, matrix.matmul(x))


def address_of(array: object) -> int:
    from ctypes import addressof

    return addressof(array)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["Q8_0", "F16", "Q4_K"])
@pytest.mark.parametrize("n", ROWS)
def test_heads(kind: str, n: int) -> None:
    """Each head has the bits of a product with its own matrix."""
    heads, rows, columns = 5, 24, 256
    w, exact = stack(kind, heads, rows, columns)
    x, y = spread(normal(n, heads * columns)), room(n, heads * rows)
    for threads in (2, 1):
        run(Call(n, threads=threads), (c.OpKind.HEADS, c.HeadsOp(view(x), view(y), w.handle)))
        for head, data in enumerate(matrices(kind, heads, rows, columns).data.reshape(heads, rows, -1)):
            alone = Packed(QuantizedTensor(data, kind, (rows, columns)))
            part = x[:, head * columns : (head + 1) * columns]
            same(y[:, head * rows : (head + 1) * rows], alone.matmul(part))
    expected = np.einsum("hrc,nhc->nhr", exact.astype(np.float64), x.astype(np.float64).reshape(n, heads, columns))
    error = np.linalg.norm(y.reshape(n, heads, rows) - expected) / np.linalg.norm(expected)
    assert error < (1e-6 if kind == "F16" else 1e-2)


def test_rows_of_a_stack_are_those_of_the_file(tmp_path: Path) -> None:
    source = matrices("Q5_K", 3, 17, 256)
    (path := tmp_path / "weights").write_bytes(source.data.tobytes())
    mapped = np.memmap(path, np.uint8, "r+")
    w = Packed(QuantizedTensor(mapped.reshape(51, -1), "Q5_K", (3, 17, 256), mapped=True))
    assert w.bytes == 3 * Packed(weight("Q5_K", 17, 256)).bytes
    same(w.rows(np.array([0, 16, 17, 50])), dequantize(source).numpy().reshape(51, 256)[[0, 16, 17, 50]])
    with pytest.raises(IndexError):
        w.rows(np.array([51]))
    with pytest.raises(ValueError, match="as a whole"):
        w.matmul(np.zeros((1, 256), np.float32))
    with pytest.raises(ValueError, match="only there as packed"):
        Packed(source).rows(np.array([0]))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


def routed(op: c.RouteOp, logits: np.ndarray, bias: np.ndarray | None) -> tuple[list[int], np.ndarray]:
    """One row in float64 (spec/models.md 1.4)."""
    logits, n = logits.astype(np.float64), len(logits)
    scores = {
        c.Gating.SOFTMAX: softmax,
        c.Gating.SIGMOID: lambda x: 1 / (1 + np.exp(-x)),
        c.Gating.CHOSEN_SOFTMAX: lambda x: x,
        c.Gating.SQRT_SOFTPLUS: lambda x: np.sqrt(np.logaddexp(0, x)),
    }[c.Gating(op.gating)](logits)
    selection = scores + (0 if bias is None else bias)
    if op.groups > 1:
        groups = selection.reshape(op.groups, -1)
        sums = np.sort(groups, axis=1)[:, -2:].sum(1)
        kept = np.argsort(-sums, kind="stable")[: op.groups_used]
        masked = np.full_like(groups, -np.inf)
        masked[kept] = groups[kept]
        selection = masked.reshape(n)
    chosen = sorted(np.argsort(-selection, kind="stable")[: op.used])
    weights = scores[chosen]
    if op.gating == c.Gating.CHOSEN_SOFTMAX:
        weights = softmax(weights)
    if op.normalize:
        weights = weights / max(weights.sum(), 6.1035e-5)
    return chosen, weights * (op.scale if op.scale not in (0, 1) else 1)


class TestRoute:
    @pytest.mark.parametrize("gating", c.Gating)
    @pytest.mark.parametrize("groups", [(0, 0), (8, 3), (16, 1)])
    @pytest.mark.parametrize("more", [(False, 1.0, False), (True, 2.5, True), (True, 0.0, False)])
    def test_against_float64(self, gating: c.Gating, groups: tuple[int, int], more: tuple[bool, float, bool]) -> None:
        normalize, scale, biased = more
        n, experts, used = 33, 64, 4
        logits, bias = spread(normal(n, experts) * 2), normal(experts) * np.float32(0.1) if biased else None
        chosen, weights = room(n, used), room(n, used)
        op = c.RouteOp(
            view(logits), view(chosen), view(weights), address(bias), used, *groups, gating, normalize, scale
        )
        for threads in (1, 2):
            run(Call(n, threads=threads), (c.OpKind.ROUTE, op))
            for row in range(n):
                numbers, exact = routed(op, logits[row], bias)
                assert list(chosen[row].view(np.int32)) == numbers
                assert np.abs(weights[row] / exact - 1).max() < 16 * 2**-24  # of x - max alone: 8 where it is 8 to 16
        few, few_weights = room(1, used), room(1, used)
        alone = c.RouteOp(
            view(logits[9:10]), view(few), view(few_weights), address(bias), used, *groups, gating, normalize, scale
        )
        run(Call(1), (c.OpKind.ROUTE, alone))
        assert few[0].tobytes() == chosen[9].tobytes()
        assert few_weights[0].tobytes() == weights[9].tobytes()

    def test_of_equal_scores_the_lower_number_wins(self) -> None:
        logits = np.zeros((2, 12), np.float32)
        logits[1, [3, 7]] = 1
        chosen, weights = room(2, 3), room(2, 3)
        for groups, expected in (((0, 0), [0, 3, 7]), ((4, 2), [3, 4, 7]), ((12, 3), [0, 3, 7])):
            op = c.RouteOp(view(logits), view(chosen), view(weights), None, 3, *groups, c.Gating.SOFTMAX, 1, 1)
            run(Call(2), (c.OpKind.ROUTE, op))
            assert chosen[0].view(np.int32).tolist() == [0, 1, 2]
            assert chosen[1].view(np.int32).tolist() == expected

    def test_small_sums_are_not_scaled_up(self) -> None:
        logits, chosen, weights = np.full((1, 8), -20, np.float32), room(1, 2), room(1, 2)
        op = c.RouteOp(view(logits), view(chosen), view(weights), None, 2, 0, 0, c.Gating.SIGMOID, 1, 1)
        run(Call(1), (c.OpKind.ROUTE, op))
        assert np.abs(weights / (np.exp(-20.0) / 6.1035e-5) - 1).max() < 1e-6

    def test_numbers_stay_in_range_whatever_the_logits(self) -> None:
        chosen, weights = room(3, 4), room(3, 4)
        logits = np.full((3, 16), np.nan, np.float32)
        logits[1, 5], logits[2] = 1, -np.inf
        for groups in ((0, 0), (4, 2)):
            op = c.RouteOp(view(logits), view(chosen), view(weights), None, 4, *groups, c.Gating.SOFTMAX, 1, 1)
            run(Call(3), (c.OpKind.ROUTE, op))
            for numbers in chosen.view(np.int32):
                assert sorted(set(numbers)) == list(numbers)
                assert numbers[0] >= 0
                assert numbers[-1] < 16


class Mixture:
    """Experts of one set of types, and what they are in float64."""

    count, width, inner, used = 12, 256, 96, 3

    def __init__(self, inner_kind: str, outer_kind: str, biased: bool = True) -> None:
        n, d, f = self.count, self.width, self.inner
        self.gate, self.gate_w = stack(inner_kind, n, f, d, 1)
        self.up, self.up_w = stack(inner_kind, n, f, d, 2)
        self.down, self.down_w = stack(outer_kind, n, d, f, 3)
        self.biases = [normal(n, f), normal(n, f, seed=1), normal(n, d)] if biased else [None] * 3
        self.scales = [None] * 3
        self.activation, self.weigh_input, self.limit, self.gated = c.Activation.SILU, False, 0.0, True

    def draw(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, chosen, weights."""
        rng = np.random.default_rng(n)
        chosen = np.stack([np.sort(rng.choice(self.count, self.used, False)) for _ in range(n)]).astype(np.int32)
        x, weights = normal(n, self.width) * np.float32(0.3), np.abs(normal(n, self.used))
        return spread(x), spread(chosen.view(np.float32)).view(np.int32), spread(weights)

    def __call__(self, x: np.ndarray, chosen: np.ndarray, weights: np.ndarray, threads: int = 1) -> np.ndarray:
        y = room(len(x), self.width)
        op = c.ExpertsOp(
            view(x), view(chosen), view(weights), view(y), self.gate.handle if self.gated else None, self.up.handle,
            self.down.handle, *(address(x) for x in (*self.biases, *self.scales)), self.used, self.activation,
            self.weigh_input, self.limit,
        )  # fmt: skip
        run(Call(len(x), threads=threads), (c.OpKind.EXPERTS, op))
        return y

    def exact(self, x: np.ndarray, chosen: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """In float64."""
        y = np.zeros((len(x), self.width))
        for row, numbers in enumerate(chosen):
            for i, e in enumerate(numbers):
                b = [0 if bias is None else bias[e] for bias in self.biases]
                s = [1 if scale is None else scale[e] for scale in self.scales]
                into = x[row].astype(np.float64) * (weights[row, i] if self.weigh_input else 1)
                up = (self.up_w[e] @ into + b[1]) * s[1]
                gate = np.maximum((self.gate_w[e] @ into + b[0]) * s[0] if self.gated else up, -700)
                if self.activation == c.Activation.SWIGLU_OAI:
                    gate, up = np.minimum(gate, self.limit), np.clip(up, -self.limit, self.limit) + 1
                    active = gate / (1 + np.exp(-1.702 * gate))
                else:
                    active = gate / (1 + np.exp(-gate))
                part = (self.down_w[e] @ (active * up if self.gated else active) + b[2]) * s[2]
                y[row] += part * (1 if self.weigh_input else weights[row, i])
        return y


MIXTURES = [("F32", "F32", 2e-6), ("F16", "BF16", 2e-6), ("Q4_K", "Q8_0", 2e-2), ("Q6_K", "Q4_0", 2e-2)]


class TestExperts:
    @pytest.mark.parametrize(("inner", "outer", "error"), MIXTURES)
    @pytest.mark.parametrize("n", [1, 2, 7, 16, 64, 200])
    def test_against_float64(self, inner: str, outer: str, error: float, n: int) -> None:
        """200 rows: an expert has enough for a matrix unit."""
        mixture = Mixture(inner, outer)
        drawn = mixture.draw(n)
        got, exact = mixture(*drawn), mixture.exact(*drawn)
        assert np.linalg.norm(got - exact) < error * np.linalg.norm(exact)
        same(mixture(*drawn, threads=2), got)
        for part in (slice(0, 1), slice(n // 2, n), slice(n - 1, n)):
            same(mixture(*(x[part] for x in drawn), threads=2), got[part])

    @pytest.mark.parametrize("how", ["gpt-oss", "llama4", "ungated", "no bias", "gate of another type", "scales"])
    def test_variants(self, how: str) -> None:
        mixture = Mixture("F16", "F32", biased=how != "no bias")
        if how == "gpt-oss":
            mixture.activation, mixture.limit = c.Activation.SWIGLU_OAI, 0.5
        if how == "gate of another type":
            mixture.gate, mixture.gate_w = stack("Q4_0", mixture.count, mixture.inner, mixture.width)
        if how == "scales":
            mixture.scales = [np.exp(normal(mixture.count, seed=i)) for i in range(3)]
        mixture.weigh_input, mixture.gated = how == "llama4", how != "ungated"
        drawn = mixture.draw(19)
        got, exact = mixture(*drawn), mixture.exact(*drawn)
        assert np.linalg.norm(got - exact) < (1e-2 if "type" in how else 2e-6) * np.linalg.norm(exact)
        for row in (0, 18):
            same(mixture(*(x[row : row + 1] for x in drawn)), got[row : row + 1])

    def test_experts_are_added_by_rising_number(self) -> None:
        """The sum of single experts in float32, in that order."""
        mixture = Mixture("Q4_K", "Q8_0")
        x, chosen, weights = mixture.draw(4)
        total, one = np.zeros((4, mixture.width), np.float32), np.ones((4, 1), np.float32)
        together = mixture(x, chosen, weights)
        mixture.used = 1
        for i in range(3):
            total += mixture(x, chosen[:, i : i + 1], one) * weights[:, i : i + 1]
        same(together, total)
