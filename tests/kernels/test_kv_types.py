"""Rows of the cache as bytes: GGUF's own blocks, with an error of half a step, and floats as they are."""

import pytest
import torch
from gguf import GGMLQuantizationType, dequantize

from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.kernels.kv_types import ALL, BF16, F16, F32, Q8_0, named

DTYPES = {F32: torch.float32, F16: torch.float16, BF16: torch.bfloat16}


def test_blocks_are_those_of_gguf() -> None:
    x = torch.randn(3, 5, 96, generator=torch.Generator().manual_seed(1)) * 3
    data = Q8_0.encode(x)
    assert data.shape == (3, 5, 102)
    assert data.dtype is torch.uint8
    theirs = dequantize(data.view(15, -1).numpy(), GGMLQuantizationType.Q8_0)
    assert torch.equal(Q8_0.decode(data), torch.from_numpy(theirs).view(x.shape))


def test_the_error_is_half_a_step() -> None:
    x = torch.randn(400, 32, generator=torch.Generator().manual_seed(2))
    step = x.abs().amax(-1, keepdim=True) / 127
    error = (Q8_0.decode(Q8_0.encode(x)) - x).abs()
    assert (error <= step * (0.5 + 127 * 2**-11)).all()  # the scale itself is rounded to 11 bits
    assert (error > step * 0.4).any()


@pytest.mark.parametrize("value", [0.0, 1e-42, -1e-9, 65504.0, 8e6])
def test_constant_blocks(value: float) -> None:
    got = Q8_0.decode(Q8_0.encode(torch.full((2, 32), value)))
    assert ((got - value).abs() <= abs(value) * 2**-11 + 127 * 2**-25).all()


def test_what_is_no_number_is_handed_on_within_its_block() -> None:
    for bad in (float("nan"), float("inf"), float("-inf")):
        x = torch.ones(1, 64)
        x[0, 3] = bad
        got = Q8_0.decode(Q8_0.encode(x))
        assert not got[0, 3].isfinite()
        assert torch.allclose(got[0, 32:], torch.ones(32), atol=1e-3)


@pytest.mark.parametrize("kind", DTYPES, ids=lambda kind: kind.name)
def test_floats_are_stored_as_they_are(kind) -> None:
    x = torch.randn(4, 20)
    data = kind.encode(x)
    assert data.shape == (4, kind.row_bytes(20)) == (4, 20 * DTYPES[kind].itemsize)
    assert torch.equal(kind.decode(data), x.to(DTYPES[kind]).float())


def test_widths() -> None:
    assert Q8_0.row_bytes(128) == 136
    for odd in (1, 31, 48, 80):
        with pytest.raises(LlamaspecError, match=str(odd)) as error:
            Q8_0.row_bytes(odd)
        assert "-ctk" in (error.value.hint or "")


def test_names_and_numbers_are_one_to_one() -> None:
    assert [named(kind.name) for kind in ALL] == list(ALL)
    assert len({kind.number for kind in ALL}) == len(ALL)
    with pytest.raises(UsageError, match="q5_1"):
        named("q5_1")
