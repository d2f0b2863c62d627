"""-ctk and -ctv: what is taken, what is refused in one line, what memory is counted, and that drafts stay invisible."""

from pathlib import Path
from typing import Any

import pytest

from llamaspec import demo
from llamaspec.engine import plan as planning
from llamaspec.engine.llm import LLM
from llamaspec.engine.load import architecture
from llamaspec.engine.plan import ModelRequest, plan
from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.kernels import native
from llamaspec.kernels.kv_types import BF16, Q8_0, named
from llamaspec.network.hparams import Heads
from llamaspec.network.stores import cells_for, store_bytes
from llamaspec.options import from_keywords
from llamaspec.weights.file import GGUFFile
from tests.engine.conftest import usable

PAIRS = [("q8_0", "f16"), ("q8_0", "q8_0"), ("bf16", "bf16"), ("f32", "q8_0")]
CASES = [("native", types) for types in PAIRS] if native.available() else []
CASES += [pytest.param("reference", types, marks=[pytest.mark.slow] if at else []) for at, types in enumerate(PAIRS)]
"""The reference takes seconds for each."""


def widths(path: Path) -> set[int]:
    """Of the heads of a model file's attention layers."""
    file = GGUFFile(path)
    layers = architecture(file).read(file.metadata, file.info("token_embd.weight").shape[0]).layers
    return {layer.attention.key for layer in layers if isinstance(layer.attention, Heads)}


def decided(path: Path, **wish: Any) -> planning.ModelPlan:
    """The plan for a file."""
    file = GGUFFile(path)
    return plan(file, file.metadata, architecture(file), ModelRequest(str(path), devices=("none",), **wish))


def load(**keywords: Any) -> LLM:
    """The demo pair on the CPU."""
    options = from_keywords(demo.target(), model_draft=str(demo.draft()), device="cpu", ctx_size=128, **keywords)
    return LLM(options, lambda line: None)


@pytest.mark.parametrize("half", ["k", "v"])
@pytest.mark.parametrize("flags", ["cache_type", "spec_draft_type"])
def test_a_flag_reaches_one_half_of_the_cache_of_one_model(flags, half):
    llm = load(**{f"{flags}_{half}": "q8_0"})
    for name, passes in (("cache_type", llm.target), ("spec_draft_type", llm._load_draft()[0])):
        for store in passes.cache.stores:
            packed = {each for each, plane in zip("kv", store.planes, strict=True) if plane.type is Q8_0}
            assert packed == ({half} if name == flags else set())


@pytest.mark.parametrize(("name", "bytes_of_32"), [("f32", 128), ("f16", 64), ("q8_0", 34)])
def test_memory_counts_the_bytes_of_the_type(monkeypatch, name, bytes_of_32):
    path, kind = demo.target(), named(name)
    layers = decided(path).hparams.layers
    needed = sum(store_bytes(layer.attention, 1, 1000, (kind, kind)) for layer in layers)
    h = layers[0].attention
    assert needed == len(layers) * cells_for(1000) * h.kv_heads * (h.key + h.value) // 32 * bytes_of_32
    monkeypatch.setattr(planning, "_weights", lambda file: {})
    monkeypatch.setattr(planning, "free_bytes", lambda device: int(needed / planning.SHARE) + 2)
    told = {"cache_types": (name, name), "backend": "reference"}  # which can do without unpacked weights
    assert decided(path, n_ctx=1000, **told).n_ctx == 1000
    with pytest.raises(LlamaspecError, match="a context of 1025 tokens needs a cache"):
        decided(path, n_ctx=1025, **told)


def test_what_cannot_be_held_is_refused_in_one_line():
    odd = [path for path in usable().values() if any(width % 32 for width in widths(path))]
    for path in odd:
        with pytest.raises(LlamaspecError, match="blocks of 32") as refused:
            decided(path, cache_types=("q8_0", "auto"))
        assert "-ctk" in (refused.value.hint or "")
    with pytest.raises(UsageError, match="q5_1 is not supported yet"):
        decided(demo.target(), cache_types=("auto", "q5_1"))
    mixed = decided(demo.target(), cache_types=("q8_0", "bf16"))
    assert mixed.cache_types == (Q8_0, BF16)


@pytest.mark.parametrize(("kernels", "types"), CASES)
def test_drafts_are_invisible_over_every_type(kernels, types):
    keys, values = types
    keywords = {"cache_type_k": keys, "cache_type_v": values, "kernels": kernels}
    plain = LLM(from_keywords(demo.target(), device="cpu", ctx_size=128, **keywords))
    prompt = plain.tokenize("def main(")
    chains = ({"temp": 0}, {"temp": 1.0, "seed": 5})
    expected = [plain.complete(prompt, n_predict=12, stop_at_eog=False, **chain).tokens for chain in chains]
    for spec_type in ("draft-simple", "draft-tree"):
        llm = load(spec_type=spec_type, spec_draft_n_max=5, spec_draft_type_k="q8_0", **keywords)
        for chain, tokens in zip(chains, expected, strict=True):
            done = llm.complete(prompt, n_predict=12, stop_at_eog=False, **chain)
            assert done.tokens == tokens
            assert done.timings.draft_n_accepted > 0
