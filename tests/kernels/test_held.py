"""Packed rows of the cache: GGUF's own blocks, with an error of half a step."""

import pytest
import torch
from gguf import GGMLQuantizationType, dequantize

from llamaspec.errors import LlamaspecError
from llamaspec.kernels.held import Q8_0, loaded, packed, row_bytes, row_values, row_width


def test_blocks_are_those_of_gguf() -> None:
    x = torch.randn(3, 5, 96, generator=torch.Generator().manual_seed(1)) * 3
    held = packed(x, Q8_0)
    assert held.shape == (3, 5, 102)
    assert held.dtype is torch.uint8
    theirs = dequantize(held.view(15, -1).numpy(), GGMLQuantizationType.Q8_0)
    assert torch.equal(loaded(held), torch.from_numpy(theirs).view(x.shape))


def test_the_error_is_half_a_step() -> None:
    x = torch.randn(400, 32, generator=torch.Generator().manual_seed(2))
    step = x.abs().amax(-1, keepdim=True) / 127
    error = (loaded(packed(x, Q8_0)) - x).abs()
    assert (error <= step * (0.5 + 127 * 2**-11)).all()  # the scale itself is rounded to 11 bits
    assert (error > step * 0.4).any()


@pytest.mark.parametrize("value", [0.0, 1e-42, -1e-9, 65504.0, 8e6])
def test_constant_blocks(value: float) -> None:
    got = loaded(packed(torch.full((2, 32), value), Q8_0))
    assert ((got - value).abs() <= abs(value) * 2**-11 + 127 * 2**-25).all()


def test_what_is_no_number_is_handed_on_within_its_block() -> None:
    for bad in (float("nan"), float("inf"), float("-inf")):
        x = torch.ones(1, 64)
        x[0, 3] = bad
        got = loaded(packed(x, Q8_0))
        assert not got[0, 3].isfinite()
        assert torch.allclose(got[0, 32:], torch.ones(32), atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_floats_are_held_as_they_are(dtype: torch.dtype) -> None:
    x = torch.randn(4, 20)
    assert torch.equal(loaded(packed(x, dtype)), x.to(dtype).float())
    assert row_width(20, dtype) == row_values(packed(x, dtype)) == 20
    assert row_bytes(20, dtype) == 20 * dtype.itemsize


def test_widths() -> None:
    assert row_width(128, Q8_0) == row_bytes(128, Q8_0) == 136
    assert row_values(torch.zeros(2, 136, dtype=torch.uint8)) == 128
    for odd in (1, 31, 48, 80):
        with pytest.raises(LlamaspecError, match=str(odd)) as error:
            row_width(odd, Q8_0)
        assert "-ctk" in (error.value.hint or "")
