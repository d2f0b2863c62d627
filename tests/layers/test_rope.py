"""Rotary positions against complex numbers computed one by one from the formulas of spec/models.md 1.2."""

import cmath
import math

import numpy as np
import pytest
import torch

from llamaspec.errors import LlamaspecError
from llamaspec.kernels import native
from llamaspec.kernels.device import HOST
from llamaspec.kernels.dispatch import kernels_for
from llamaspec.kernels.protocol import Batch, KVIndex
from llamaspec.layers.rope import Rope, Scaling

BACKENDS = ["reference", "native"] if native.available() else ["reference"]
POSITIONS = [0, 1, 7, 300, 4099]


def angle(rope: Rope, pair: int, position: int, divisor: float) -> float:
    """theta of one pair, in the words of the specification."""
    theta = position * rope.base ** (-2 * pair / rope.width) / divisor
    scaling = rope.scaling
    if scaling.kind == "linear":
        return theta / scaling.factor
    if scaling.kind != "yarn":
        return theta

    def c(beta: float) -> float:
        return rope.width * math.log(scaling.original_context / (2 * math.pi * beta)) / (2 * math.log(rope.base))

    low = max(0, math.floor(c(scaling.beta_fast)))
    high = min(rope.width - 1, math.ceil(c(scaling.beta_slow)))
    ramp = 1 - min(1.0, max(0.0, (pair - low) / max(0.001, high - low)))
    return theta / scaling.factor * (1 - ramp) + theta * ramp


def amplitude(scaling: Scaling) -> float:
    """What a rotated pair is multiplied by."""
    if scaling.kind == "yarn":
        return (1 + 0.1 * math.log(scaling.factor)) * scaling.attn_factor
    return scaling.attn_factor


def rotated(rope: Rope, x: list[float], position: int, offset: int, divisors: np.ndarray | None) -> list[float]:
    """One head."""
    y, half = list(x), rope.width // 2
    for pair in range(half):
        first = offset + (2 * pair if rope.interleaved else pair)
        second = first + 1 if rope.interleaved else first + half
        divisor = 1.0 if divisors is None else float(divisors[pair])
        turned = complex(x[first], x[second]) * cmath.exp(1j * angle(rope, pair, position, divisor))
        turned *= amplitude(rope.scaling)
        y[first], y[second] = turned.real, turned.imag
    return y


def batch(positions: list[int]) -> Batch:
    """Rows of one sequence at these positions."""
    at = torch.tensor(positions)
    zeros = torch.zeros_like(at)
    return Batch(zeros, at, zeros, at, KVIndex(at, zeros, zeros, None, max(positions) // 256 + 1), None)


SCALINGS = {
    "none": Scaling(),
    "linear": Scaling("linear", 4.0),
    "yarn": Scaling("yarn", 8.0, 256, attn_factor=0.9),
    "longrope": Scaling("longrope", attn_factor=1.19),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize(("width", "head", "offset"), [(64, 64, 0), (16, 40, 0), (16, 40, 24)])
def test_rotation(backend, kind, interleaved, width, head, offset):
    divisors = np.linspace(1, 5, width // 2, dtype=np.float32) if kind == "longrope" else None
    rope = Rope(width, 10000.0, interleaved, SCALINGS[kind])
    x = torch.randn(len(POSITIONS), 3 * head, generator=torch.Generator().manual_seed(3))
    kernels = kernels_for(HOST, backend)
    rotation = kernels.rotation(rope.frequencies(divisors), rope.amplitude, rope.interleaved)
    ops = kernels.operations(batch(POSITIONS), [], [])
    if backend == "native":
        from llamaspec.kernels.native.operations import Value

        got = ops.rotate(Value(np.ascontiguousarray(x.numpy()), 3 * head, 3 * head), rotation, 3, offset).base
    else:
        got = ops.rotate(x, rotation, 3, offset).numpy()
    for row, position in enumerate(POSITIONS):
        for number in range(3):
            part = slice(number * head, (number + 1) * head)
            expected = rotated(rope, x[row, part].double().tolist(), position, offset, divisors)
            np.testing.assert_allclose(got[row, part], expected, rtol=0, atol=3e-6)


def test_amplitude_may_be_fixed():
    """DeepSeek's stretch stands in the scale of scores."""
    assert Rope(64, 1e4, True, Scaling("yarn", 40.0, 4096, amplitude=1.0)).amplitude == 1.0


@pytest.mark.parametrize(
    ("key", "make"),
    [
        ("rope.dimension_count 3", lambda: Rope(3, 1e4)),
        ("rope.dimension_count 0", lambda: Rope(0, 1e4)),
        ("rope.freq_base 0.0", lambda: Rope(64, 0.0)),
        ("rope.scaling.factor 0.0", lambda: Scaling("linear", 0.0)),
        ("rope.scaling.original_context_length 0", lambda: Scaling("yarn", 2.0, 0)),
        ("spiral", lambda: Scaling("spiral")),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_key(key, make):
    with pytest.raises(LlamaspecError, match=key.replace(".", r"\.")) as error:
        make()
    assert error.value.hint
