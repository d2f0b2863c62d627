"""Every tensor type on the shelf against gguf's own dequantisation, bit for bit."""

import math

import gguf
import numpy as np
import pytest
import torch

from llamaspec import shelf
from llamaspec.errors import LlamaspecError
from llamaspec.kernels import quants
from llamaspec.weights.tensor import QuantizedTensor
from llamaspec.weights.types import BY_NAME

NAMES = shelf.names("kernels.quants")
# The upper byte of each half float of a block: random bits there would be NaN or infinite now and then, whose bits are
# free. Without one exponent bit every sign, zero, subnormal and most magnitudes are left.
UPPER_BYTES = {
    "Q4_0": (1,), "Q4_1": (1, 3), "Q5_0": (1,), "Q5_1": (1, 3), "Q8_0": (1,), "IQ4_NL": (1,),
    "Q1_0": (1,), "Q2_0": (1,), "MXFP4": (0,), "TQ1_0": (53,), "TQ2_0": (65,), "IQ1_S": (1,), "IQ1_M": (55,),
    "IQ2_XXS": (1,), "IQ2_XS": (1,), "IQ2_S": (1,), "IQ3_XXS": (1,), "IQ3_S": (1,), "IQ4_XS": (1,), "Q2_K": (81, 83),
    "Q3_K": (109,), "Q4_K": (1, 3), "Q5_K": (1, 3), "Q6_K": (209,), "F16": (1,), "BF16": (1,), "F32": (3,),
}  # fmt: skip


def blocks_of(name: str, count: int, seed: int) -> np.ndarray:
    """[count, BYTES] random uint8 without NaN or infinity in the float fields."""
    size = BY_NAME[name].bytes
    blocks = np.random.default_rng(seed).integers(0, 256, (count, size), dtype=np.uint8)
    for at in UPPER_BYTES.get(name, ()):
        blocks[:, at] &= 0xBF
    return blocks


def reference(blocks: np.ndarray, name: str) -> np.ndarray:
    """What gguf makes of blocks; models.md section 4 for the two types that it lacks."""
    with np.errstate(all="ignore"):
        if name in ("Q1_0", "Q2_0"):
            scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
            bits = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little").astype(np.int8)
            return scale * (2 * bits - 1 if name == "Q1_0" else bits[:, ::2] + 2 * bits[:, 1::2] - 1)
        return gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType[name])


@pytest.mark.parametrize("name", NAMES)
def test_sizes_are_those_of_the_format(name: str) -> None:
    module, block = shelf.take("kernels.quants", name), BY_NAME[name.upper()]
    assert (block.elements, block.bytes) == (module.ELEMENTS, module.BYTES)
    if name not in ("q1_0", "q2_0"):
        assert (block.elements, block.bytes) == gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name.upper()]]


def test_every_type_of_weights_has_a_file() -> None:
    """All but activations (Q8_1, Q8_K), whole numbers and double precision."""
    assert set(BY_NAME) - {name.upper() for name in NAMES} == {"Q8_1", "Q8_K", "I8", "I16", "I32", "I64", "F64"}


@pytest.mark.parametrize("name", NAMES)
def test_random_blocks_decode_bit_for_bit(name: str) -> None:
    blocks = blocks_of(name.upper(), 3000, seed=len(name))
    expected = reference(blocks, name.upper())
    module = shelf.take("kernels.quants", name)
    got = module.decode_torch(torch.from_numpy(blocks))
    assert got.dtype == torch.float32
    assert got.shape == (3000, module.ELEMENTS)
    assert np.isfinite(expected).all()
    assert np.array_equal(got.numpy().view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("f32", "f16", "bf16")])
def test_every_byte_value_in_every_place(name: str) -> None:
    """One byte runs through its 256 values while the others are fixed: no bit is read wrongly or ignored."""
    module = shelf.take("kernels.quants", name)
    base = blocks_of(name.upper(), 1, seed=7)
    blocks = np.repeat(base, module.BYTES * 256, axis=0)
    place, value = np.divmod(np.arange(module.BYTES * 256), 256)
    blocks[np.arange(len(blocks)), place] = value
    expected = reference(blocks, name.upper())
    usual = np.isfinite(expected)
    got = module.decode_torch(torch.from_numpy(blocks)).numpy()
    assert np.array_equal(got.view(np.uint32)[usual], expected.view(np.uint32)[usual])
    assert (np.isfinite(got) == usual).all()
    assert usual.mean() > 0.9


@pytest.mark.parametrize("name", ["f16", "bf16"])
def test_every_pattern_of_the_short_floats(name: str) -> None:
    every = np.arange(65536, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    expected = reference(every, name.upper())
    got = shelf.take("kernels.quants", name).decode_torch(torch.from_numpy(every)).numpy()
    usual = ~np.isnan(expected)
    assert np.array_equal(got.view(np.uint32)[usual], expected.view(np.uint32)[usual])
    assert np.isnan(got[~usual]).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_blocks_give_no_values(name: str) -> None:
    module = shelf.take("kernels.quants", name)
    assert module.decode_torch(torch.empty(0, module.BYTES, dtype=torch.uint8)).shape == (0, module.ELEMENTS)


@pytest.mark.parametrize(
    ("kind", "word"), [("type 139", "ik_llama.cpp"), ("type 31", "removed"), ("type 77", "newer"), ("Q8_K", "q8_0")]
)
def test_a_type_that_is_not_on_the_shelf_is_named(kind: str, word: str) -> None:
    weight = QuantizedTensor(torch.empty(1, 1, dtype=torch.uint8), kind, (1, 256), "blk.0.attn_q.weight")
    with pytest.raises(LlamaspecError) as error:
        quants.of(weight)
    assert kind in error.value.message
    assert "blk.0.attn_q.weight" in error.value.message
    assert word in error.value.hint


def test_what_gguf_quantised_comes_back_close() -> None:
    """The other direction, as a check that the layouts are used as writers use them: values survive within one step."""
    values = np.random.default_rng(3).standard_normal((4, 256)).astype(np.float32)
    packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
    weight = QuantizedTensor(torch.from_numpy(packed), "Q8_0", (4, 256), "x")
    module = quants.of(weight)
    back = module.decode_torch(weight.data.view(-1, module.BYTES)).view(weight.shape).numpy()
    assert math.isclose(float(np.abs(back - values).max()), 0, abs_tol=float(np.abs(values).max()) / 127)
