"""Operations of the tape on rows alone: embedding, copies, norms, rotation, activations, element by element."""

from collections.abc import Callable, Iterator
from math import erfc

import numpy as np
import pytest
import torch

from llamaspec.kernels.native import structures as c
from llamaspec.kernels.native.packed import Packed
from llamaspec.kernels.unpack import dequantize

from .native_data import ISAS, instructions, needs_library, weight
from .native_tape import Call, Index, address, chain, room, spread, view

pytestmark = needs_library
RNG = np.random.default_rng
WIDTHS = (1, 7, 16, 48, 100, 896)
ROWS = (1, 2, 7, 16, 64)


@pytest.fixture(params=ISAS, autouse=True)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    with instructions(request.param):
        yield request.param


def rows(n: int, width: int, seed: int = 0) -> np.ndarray:
    """Normal rows, some of them large, some small, NaNs between them."""
    x = RNG(seed + 1000 * n + width).standard_normal((n, width)).astype(np.float32)
    x[1::3] *= 100
    x[2::3] *= 1e-3
    return spread(x)


def near(got: np.ndarray, exact: np.ndarray, steps: float = 8.0) -> None:
    """Within some float32 roundings of the largest value of each row."""
    size = np.maximum(np.abs(exact).max(-1, keepdims=True), 1e-30)
    assert (np.abs(got - exact) / size).max() < steps * 2**-24


def same(got: np.ndarray, expected: np.ndarray) -> None:
    assert np.array_equal(got.view(np.uint32), expected.astype(np.float32).view(np.uint32))


def invariant(run: Callable[[slice, np.ndarray, int], None], n: int, width: int) -> np.ndarray:
    """What run(rows, y, threads) writes for all rows, which is what it writes for one of them, or for a few."""
    y = room(n, width)
    run(slice(0, n), y, 1)
    for part, threads in ((slice(0, n), 2), (slice(0, 1), 1), (slice(n // 2, n), 2), (slice(n - 1, n), 2)):
        again = room(part.stop - part.start, width, 2)
        run(part, again, threads)
        same(np.ascontiguousarray(again), np.ascontiguousarray(y[part]))
    return y


def run(call: Call, *ops: tuple) -> None:
    assert call.run(*ops) == c.PassResult.DONE


class TestEmbed:
    @pytest.mark.parametrize("kind", ["Q4_K", "F16", "Q8_0"])
    def test_tokens(self, kind: str) -> None:
        packed, tokens = Packed(weight(kind, 30, 256)), np.array([3, 0, 29, 3])
        exact = dequantize(weight(kind, 30, 256)).numpy()[tokens]
        for factor in (1.0, 16.25):
            y = room(4, 256)
            op = c.EmbedOp(view(y), packed.source_address, 30, packed.type, factor)
            run(Call(4, tokens=tokens), (c.OpKind.EMBED, op))
            same(np.ascontiguousarray(y), exact * np.float32(factor))

    def test_hidden_rows_are_taken_as_they_are(self) -> None:
        y, hidden = room(3, 20), RNG(0).standard_normal((3, 20)).astype(np.float32)
        run(Call(3, hidden=hidden), (c.OpKind.EMBED, c.EmbedOp(view(y), None, 0, 0, 5.0)))
        same(np.ascontiguousarray(y), hidden)


class TestLookup:
    def test_by_token_beside_hidden_rows_and_by_position(self) -> None:
        table, tokens = weight("Q8_0", 30, 64), np.array([3, 0, 29, 3])
        packed, exact = Packed(table), dequantize(table).numpy()
        hidden = np.zeros((4, 64), np.float32)
        for by_position, numbers in ((0, tokens), (1, np.arange(7, 11))):
            y = room(4, 64)
            op = c.LookupOp(view(y), packed.source_address, 30, packed.type, by_position, 2.5)
            run(Call(4, chain(7, 4), tokens=tokens, hidden=hidden), (c.OpKind.LOOKUP, op))
            same(np.ascontiguousarray(y), exact[numbers] * np.float32(2.5))


class TestTemper:
    @pytest.mark.parametrize("n", ROWS)
    def test_against_float64(self, n: int) -> None:
        x, index = rows(n, 100), chain(30, n)
        expected = x * (1 + 0.1 * np.log(1 + (index.positions + 1) // 8))[:, None]

        def evaluate(part: slice, y: np.ndarray, threads: int) -> None:
            op = c.TemperOp(view(x[part]), view(y), 8, 1, 0.1)
            run(Call(len(y), index.take(part), threads=threads), (c.OpKind.TEMPER, op))

        near(invariant(evaluate, n, 100), expected)


class TestCopies:
    def test_select(self) -> None:
        x, y, wanted = rows(6, 40), room(3, 40), np.array([5, 0, 2])
        run(Call(6, wanted=wanted), (c.OpKind.SELECT, c.SelectOp(view(x), view(y))))
        same(np.ascontiguousarray(y), x[wanted])

    def test_mark(self) -> None:
        x, asked = rows(6, 40), np.zeros((6, 40), np.float32)
        ops = [(c.OpKind.MARK, c.MarkOp(view(x), number)) for number in (0, 1, 2)]
        run(Call(6, features=[None, asked]), *ops)
        same(asked, x)

    def test_parts_of_heads(self) -> None:
        """The last 5 of every 12 become the first 5 of every 8."""
        x, y = rows(4, 36), room(4, 24)
        run(Call(4), (c.OpKind.COPY, c.CopyOp(view(x), view(y), 3, 12, 7, 8, 0, 5)))
        found = y.reshape(4, 3, 8)
        same(np.ascontiguousarray(found[..., :5]), np.ascontiguousarray(x.reshape(4, 3, 12)[..., 7:]))
        assert np.isnan(found[..., 5:]).all()


class TestNorm:
    @pytest.mark.parametrize("kind", c.NormKind)
    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("n", ROWS)
    def test_against_float64(self, kind: c.NormKind, width: int, n: int) -> None:
        x, w, b = rows(n, width), RNG(1).standard_normal(width).astype(np.float32), None
        if kind == c.NormKind.LAYER:
            x = spread(x + np.abs(x).max(-1, keepdims=True) / 2)
            b = RNG(2).standard_normal(width).astype(np.float32)

        def evaluate(part: slice, y: np.ndarray, threads: int) -> None:
            op = c.NormOp(view(x[part]), view(y), address(w), address(b), 1, 0, kind, 1e-6)
            run(Call(len(y), threads=threads), (c.OpKind.NORM, op))

        exact = x.astype(np.float64)
        mean = exact.mean(-1, keepdims=True) if kind == c.NormKind.LAYER else 0
        squares = (exact - mean) ** 2
        total = squares.sum(-1, keepdims=True) if kind == c.NormKind.L2 else squares.mean(-1, keepdims=True)
        expected = (exact - mean) / np.sqrt(total + 1e-6) * w + (0 if b is None else b)
        got = invariant(evaluate, n, width)
        near(got, expected, 8 if kind != c.NormKind.LAYER or width > 1 else 1e9)

    def test_without_weight(self) -> None:
        x, y = rows(3, 50), room(3, 50)
        for kind in c.NormKind:
            run(Call(3), (c.OpKind.NORM, c.NormOp(view(x), view(y), None, None, 1, 0, kind, 1e-6)))
            ones = np.ones(50, np.float32)
            again = room(3, 50)
            run(Call(3), (c.OpKind.NORM, c.NormOp(view(x), view(again), address(ones), None, 1, 0, kind, 1e-6)))
            same(np.ascontiguousarray(again), np.ascontiguousarray(y))

    @pytest.mark.parametrize("own", [False, True])
    @pytest.mark.parametrize("kind", c.NormKind)
    def test_groups(self, kind: c.NormKind, own: bool) -> None:
        """Five heads of 24 values: each has the bits of a row of its own, in place too."""
        x, w = rows(7, 120), RNG(1).standard_normal((5, 24)).astype(np.float32)
        y = room(7, 120)
        op = c.NormOp(view(x), view(y), address(w), address(w), 5, 24 if own else 0, kind, 1e-5)
        run(Call(7, threads=2), (c.OpKind.NORM, op))
        for head in range(5):
            alone, at = room(7, 24), np.ascontiguousarray(w[head if own else 0])
            part = x[:, 24 * head : 24 * head + 24]
            op = c.NormOp(view(part), view(alone), address(at), address(at), 1, 0, kind, 1e-5)
            run(Call(7), (c.OpKind.NORM, op))
            same(np.ascontiguousarray(y[:, 24 * head : 24 * head + 24]), np.ascontiguousarray(alone))
        op = c.NormOp(view(x), view(x), address(w), address(w), 5, 24 if own else 0, kind, 1e-5)
        run(Call(7), (c.OpKind.NORM, op))
        same(np.ascontiguousarray(x), np.ascontiguousarray(y))


class TestRotate:
    @pytest.mark.parametrize("interleaved", [False, True])
    @pytest.mark.parametrize(
        ("width", "offset", "turned"), [(64, 0, 64), (80, 0, 32), (6, 0, 6), (24, 16, 8), (8, 2, 2)]
    )
    def test_against_float64(self, width: int, offset: int, turned: int, interleaved: bool) -> None:
        n, heads, half = 9, 3, turned // 2
        angles = RNG(0).random((300, half)) * 1000
        cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
        table = c.RopeTable(address(cos), address(sin), half, 300, interleaved)
        x, positions = rows(n, heads * width), np.array([0, 1, 299, 7, 7, 100, 3, 200, 298])

        def evaluate(part: slice, y: np.ndarray, threads: int) -> None:
            at = Index(positions[part], *(np.zeros(len(y), np.int64) for _ in range(3)))
            op = c.RotateOp(view(x[part]), view(y), heads, offset, 0)
            run(Call(len(y), at, ropes=[table], threads=threads), (c.OpKind.ROTATE, op))

        got = invariant(evaluate, n, heads * width).reshape(n, heads, width)
        exact = x.astype(np.float64).reshape(n, heads, width).copy()
        part = exact[..., offset : offset + turned]
        a, b = (part[..., ::2], part[..., 1::2]) if interleaved else (part[..., :half], part[..., half:])
        co, si = (table[positions, None].astype(np.float64) for table in (cos, sin))
        a[...], b[...] = a * co - b * si, a * si + b * co
        near(got, exact)
        still = np.r_[0:offset, offset + turned : width]
        same(np.ascontiguousarray(got[..., still]), x.reshape(n, heads, width)[..., still])

    def test_only_wanted_rows(self) -> None:
        """Their positions are those of the rows in the pass."""
        cos, sin = (RNG(i).standard_normal((50, 4)).astype(np.float32) for i in range(2))
        x, y, all_rows, wanted = rows(6, 8), room(2, 8), room(6, 8), np.array([4, 1])
        table = [c.RopeTable(address(cos), address(sin), 4, 50, 0)]
        selected = np.ascontiguousarray(x[wanted])
        run(Call(6, chain(20, 6), ropes=table), (c.OpKind.ROTATE, c.RotateOp(view(x), view(all_rows), 1, 0, 0)))
        op = c.RotateOp(view(selected), view(y), 1, 0, 0)
        run(Call(6, chain(20, 6), ropes=table, wanted=wanted), (c.OpKind.ROTATE, op, True))
        same(np.ascontiguousarray(y), np.ascontiguousarray(all_rows[wanted]))


def sigmoid(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


EXACT: dict[c.Activation, Callable[[np.ndarray], np.ndarray]] = {
    c.Activation.NONE: lambda x: x,
    c.Activation.SILU: lambda x: x * sigmoid(x),
    c.Activation.GELU: lambda x: x * sigmoid(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)),
    c.Activation.GELU_ERF: lambda x: x * np.array([erfc(-v / np.sqrt(2)) / 2 for v in x.ravel()]).reshape(x.shape),
    c.Activation.SIGMOID: sigmoid,
    c.Activation.RELU2: lambda x: np.maximum(x, 0) ** 2,
    c.Activation.SWIGLU_OAI: lambda x: x * sigmoid(1.702 * x),
    c.Activation.RELU: lambda x: np.maximum(x, 0),
    c.Activation.SOFTPLUS: lambda x: np.logaddexp(0, x),
    c.Activation.EXP_TAIL: lambda x: np.expm1(np.minimum(x, 0)) - np.minimum(x, 0),
}
"""In float64; GELU's tanh form as x / (1 + e^-2u), which is the same without cancellation."""


class TestGate:
    @pytest.mark.parametrize("kind", c.Activation)
    def test_over_the_whole_range(self, kind: c.Activation) -> None:
        """Relative error of a few units in the last place, where the result has not lost its argument's digits.

        e^z has the error of z as its relative error: 5 |z| units where a result is as small as e^-|z|.
        """
        special = [0.0, -0.0, 1e-30, -1e-30, 1e18, -1e18]
        x = np.concatenate([np.linspace(-120, 120, 4001), np.linspace(-6, 6, 2001), special]).astype(np.float32)[None]
        y = room(1, x.shape[1])
        run(Call(1), (c.OpKind.GATE, c.GateOp(view(x), view(None), view(y), kind, 0)))
        exact = EXACT[kind](x.astype(np.float64))
        tail = np.where(x < 0, np.abs(x.astype(np.float64)), 0)
        steps = {c.Activation.GELU: 4 + tail**3, c.Activation.GELU_ERF: 8 + 4 * tail**2}.get(kind, 4 + 2 * tail)
        assert (np.abs(y - exact) <= steps * 2**-24 * np.abs(exact) + 1e-36).all()
        size = 4 * 2**-24 * np.maximum(np.abs(exact), np.minimum(np.abs(x), 1))
        assert (np.abs(y - exact) <= size + 1e-36).all()

    @pytest.mark.parametrize("kind", c.Activation)
    @pytest.mark.parametrize("limit", [0.0, 0.7])
    @pytest.mark.parametrize("n", [1, 7, 64])
    def test_times_up(self, kind: c.Activation, limit: float, n: int) -> None:
        width = 1000
        gate, up = (spread(RNG(i).standard_normal((n, width)).astype(np.float32) * 3) for i in range(2))

        def evaluate(part: slice, y: np.ndarray, threads: int) -> None:
            op = c.GateOp(view(gate[part]), view(up[part]), view(y), kind, limit)
            run(Call(len(y), threads=threads), (c.OpKind.GATE, op))

        got = invariant(evaluate, n, width)
        g, u = gate.astype(np.float64), up.astype(np.float64)
        if limit:
            u = np.clip(u, -np.float32(limit), np.float32(limit))
        if kind == c.Activation.SWIGLU_OAI:
            expected = EXACT[kind](np.minimum(g, np.float32(limit)) if limit else g) * (u + 1)
        else:
            active = EXACT[kind](g)
            expected = (np.minimum(active, np.float32(limit)) if limit else active) * u
        near(got, expected)

    def test_one_gate_for_a_row(self) -> None:
        gate, up, y = rows(5, 1), rows(5, 70), room(5, 70)
        run(Call(5), (c.OpKind.GATE, c.GateOp(view(gate), view(up), view(y), c.Activation.SIGMOID, 0)))
        near(y, sigmoid(gate.astype(np.float64)) * up)

    def test_not_a_number_stays(self) -> None:
        x, y = np.full((1, 20), np.nan, np.float32), room(1, 20)
        for kind in c.Activation:
            for limit in (0.0, 2.0):
                y[:] = 0
                run(Call(1), (c.OpKind.GATE, c.GateOp(view(x), view(None), view(y), kind, limit)))
                assert np.isnan(y).all()


class TestElement:
    def test_against_numpy(self) -> None:
        for n, width in ((1, 5), (7, 1001), (70, 1001)):
            a, b = rows(n, width, 1), rows(n, width, 2)
            expected = {c.Element.ADD: a + b, c.Element.MULTIPLY: a * b, c.Element.SCALE: np.float32(0.3) * a}
            for kind, exact in expected.items():
                for threads in (1, 2):
                    y = room(n, width)
                    op = c.ElementOp(view(a), view(b if kind < c.Element.SCALE else None), view(y), kind, 0.3)
                    run(Call(n, threads=threads), (c.OpKind.ELEMENT, op))
                    same(np.ascontiguousarray(y), exact)

    def test_softcap(self) -> None:
        x = np.concatenate([np.linspace(-400, 400, 8001), np.linspace(-1, 1, 999), [1e-30, 0, 1e30]])[None]
        x, y = x.astype(np.float32), room(1, 9003)
        run(Call(1), (c.OpKind.ELEMENT, c.ElementOp(view(x), view(None), view(y), c.Element.SOFTCAP, 30)))
        exact = 30 * np.tanh(x.astype(np.float64) / 30)
        assert (np.abs(y - exact) <= 4 * 2**-24 * np.abs(exact)).all()

    def test_decay(self) -> None:
        x = np.concatenate([np.linspace(-100, 100, 4001), np.linspace(-3, 3, 500)]).astype(np.float32)[None]
        width = x.shape[1]
        bias, rate = (RNG(i).standard_normal(width).astype(np.float32) for i in range(2))
        rate, y = -np.abs(rate), room(1, width)
        run(Call(1), (c.OpKind.DECAY, c.DecayOp(view(x), view(y), address(bias), address(rate))))
        z = (x + bias).astype(np.float64)
        exponent = rate * (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))
        exact = np.exp(exponent)
        known = exponent[0] > -80
        assert (np.abs(y - exact) <= (4 - 4 * exponent) * 2**-24 * exact)[0, known].all()
        assert (y[0, ~known] < 1e-34).all()


def test_ops_in_one_run_have_the_bits_of_runs_of_their_own() -> None:
    """Registers in an arena, and a result that goes to the logits."""
    n, width = 5, 48
    x, w = np.ascontiguousarray(rows(n, width)), RNG(1).standard_normal(width).astype(np.float32)
    arena, logits, wanted = np.full(n * 3 * width, np.nan, np.float32), room(2, width, 0), np.array([3, 1])

    def at(register: int, columns: int = width, column: int = 0) -> c.Rows:
        return c.Rows(None, register if register == c.OUTPUT else register * width, column, width, columns)

    ops = [
        (c.OpKind.NORM, c.NormOp(view(x), at(0), address(w), None, 1, 0, c.NormKind.RMS, 1e-6)),
        (c.OpKind.GATE, c.GateOp(at(0), at(0), at(1), c.Activation.SILU, 0)),
        (c.OpKind.ELEMENT, c.ElementOp(at(1), at(0), at(2), c.Element.ADD, 0)),
        (c.OpKind.SELECT, c.SelectOp(at(2), at(0))),
        (c.OpKind.ELEMENT, c.ElementOp(at(0, 20, 8), view(None), at(c.OUTPUT, 20, 8), c.Element.SCALE, 3), True),
    ]
    run(Call(n, arena=arena, logits=logits, wanted=wanted, threads=2), *ops)
    first = logits.copy()
    logits[:] = np.nan
    for op in ops:
        run(Call(n, arena=arena, logits=logits, wanted=wanted), op)
    same(np.ascontiguousarray(first[:, 8:28]), np.ascontiguousarray(logits[:, 8:28]))
    assert np.isnan(first[:, :8]).all()
    assert np.isnan(first[:, 28:]).all()
    normed = torch.nn.functional.rms_norm(torch.from_numpy(x).double(), (width,), torch.from_numpy(w).double(), 1e-6)
    exact = (torch.nn.functional.silu(normed) * normed + normed)[wanted] * 3
    near(first[:, 8:28], exact[:, 8:28].numpy(), 30)


def test_nothing_runs_without_wanted_rows() -> None:
    x, y = rows(3, 8), np.zeros((3, 8), np.float32)
    call = Call(3, wanted=np.zeros(0, np.int64))
    run(
        call,
        (c.OpKind.SELECT, c.SelectOp(view(x), view(y))),
        (c.OpKind.GATE, c.GateOp(view(x), view(x), view(y)), True),
    )
    assert not y.any()
