"""-ctk and -ctv: what is taken, what is refused in one line, what memory is counted, and that drafts stay invisible."""

from pathlib import Path
from typing import Any

import pytest
import torch

from llamaspec import demo
from llamaspec.engine import plan as planning
from llamaspec.engine.llm import LLM
from llamaspec.engine.plan import Wish, plan, shared_cache_type
from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.kernels import native
from llamaspec.kernels.held import Q8_0
from llamaspec.models._hparams import HParams
from llamaspec.options import from_keywords
from llamaspec.weights.file import GGUFFile
from tests.engine.conftest import usable

KERNELS = ["reference", "native"] if native.available() else ["reference"]


def hparams(path: Path) -> HParams:
    """Of a model file."""
    file = GGUFFile(path)
    return HParams.read(file.metadata, file.info("token_embd.weight").shape[0])


def decided(path: Path, **wish: Any) -> planning.ModelPlan:
    """The plan for a file."""
    file = GGUFFile(path)
    return plan(file, file.metadata, Wish(str(path), devices=("none",), **wish))


def load(**keywords: Any) -> LLM:
    """The demo pair on the CPU."""
    options = from_keywords(demo.target(), model_draft=str(demo.draft()), device="cpu", ctx_size=128, **keywords)
    return LLM(options, lambda line: None)


def test_keys_and_values_share_a_type():
    assert shared_cache_type("auto", "auto", "") == "auto"
    assert shared_cache_type("q8_0", "auto", "") == shared_cache_type("auto", "q8_0", "") == "q8_0"
    assert shared_cache_type("f16", "f16", "") == "f16"
    with pytest.raises(UsageError, match="keys of f16 and values of q8_0") as refused:
        shared_cache_type("f16", "q8_0", "-ctk and -ctv")
    assert "-ctk and -ctv" in (refused.value.hint or "")


@pytest.mark.parametrize("flags", [("cache_type_k", "cache_type_v"), ("spec_draft_type_k", "spec_draft_type_v")])
def test_flags_reach_the_cache_of_their_model(flags):
    key, value = flags
    with pytest.raises(UsageError, match="one cache has one type"):
        load(**{key: "f32", value: "q8_0"})
    llm = load(**{value: "q8_0"})
    target, draft = llm.target.cache, llm._load_draft()[0].cache
    packed, plain = (target, draft) if key == "cache_type_k" else (draft, target)
    for store in packed.stores:
        assert (store.k.dtype, store.v.dtype) == (torch.uint8, torch.uint8)
    assert plain.stores[0].k.dtype is not torch.uint8


@pytest.mark.parametrize(("name", "bytes_of_32"), [("f32", 128), ("f16", 64), ("q8_0", 34)])
def test_memory_counts_the_bytes_of_the_type(monkeypatch, name, bytes_of_32):
    path, h = demo.target(), hparams(demo.target())
    values = h.n_layer * h.n_head_kv * (h.head_k + h.head_v)
    needed = 1000 * values // 32 * bytes_of_32
    monkeypatch.setattr(planning, "free_bytes", lambda device: int(needed / planning.SHARE) + 2)
    assert decided(path, n_ctx=1000, cache_type=name).n_ctx == 1000
    with pytest.raises(LlamaspecError, match="a context of 1001 tokens needs a cache"):
        decided(path, n_ctx=1001, cache_type=name)


def test_what_cannot_be_held_is_refused_in_one_line():
    odd = [path for path in usable().values() if hparams(path).head_k % 32]
    for path in odd:
        with pytest.raises(LlamaspecError, match="blocks of 32") as refused:
            decided(path, cache_type="q8_0")
        assert "-ctk" in (refused.value.hint or "")
    with pytest.raises(UsageError, match="q5_1 is not built yet"):
        decided(demo.target(), cache_type="q5_1")
    if native.available():
        with pytest.raises(UsageError, match="bf16"):
            decided(demo.target(), cache_type="bf16", backend="native")
    assert decided(demo.target(), cache_type="bf16", backend="reference").cache_type is torch.bfloat16
    assert decided(demo.target(), cache_type="q8_0").cache_type is Q8_0


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("spec_type", ["draft-simple", "draft-tree"])
def test_drafts_are_invisible_over_packed_rows(kernels, spec_type):
    keywords = {"cache_type_k": "q8_0", "cache_type_v": "q8_0", "spec_draft_type_k": "q8_0", "kernels": kernels}
    plain = LLM(from_keywords(demo.target(), device="cpu", ctx_size=128, **{**keywords, "spec_draft_type_k": "auto"}))
    llm = load(spec_type=spec_type, spec_draft_n_max=5, **keywords)
    for chain in ({"temp": 0}, {"temp": 1.0, "seed": 5}):
        prompt = llm.tokenize("def main(")
        expected = plain.complete(prompt, n_predict=24, stop_at_eog=False, **chain)
        done = llm.complete(prompt, n_predict=24, stop_at_eog=False, **chain)
        assert done.tokens == expected.tokens
        assert done.timings.draft_n_accepted > 0
