"""Facts about the embedded models' files. What they write is tested with the engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import pytest

from llamaspec import demo
from llamaspec.errors import LlamaspecError

LIMIT = 25_000_000
NORMS = {"attn_norm", "ffn_norm"}
MATRICES = {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}


@pytest.fixture(scope="module")
def readers() -> dict[str, gguf.GGUFReader]:
    return {"target": gguf.GGUFReader(demo.target()), "draft": gguf.GGUFReader(demo.draft())}


@pytest.fixture(params=["target", "draft"])
def role(request: pytest.FixtureRequest) -> str:
    return request.param


def value(reader: gguf.GGUFReader, key: str) -> Any:
    field = reader.get_field(key)
    assert field is not None, key
    return field.contents()


def test_together_they_fit_in_the_repository() -> None:
    target, draft = (path.stat().st_size for path in (demo.target(), demo.draft()))
    assert target + draft <= LIMIT
    assert draft * 4 < target


def test_a_missing_model_is_an_error_with_a_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_HERE", tmp_path)
    for find in (demo.target, demo.draft):
        with pytest.raises(LlamaspecError) as failure:
            find()
        assert str(tmp_path) in failure.value.message
        assert "-m" in failure.value.hint


def test_finding_the_models_imports_no_torch() -> None:
    code = "import sys, llamaspec.demo as d; d.target(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_network_is_a_llama_that_every_reader_knows(readers: dict[str, gguf.GGUFReader], role: str) -> None:
    reader = readers[role]
    assert value(reader, "general.architecture") == "llama"
    assert value(reader, "general.file_type") == gguf.LlamaFileType.MOSTLY_Q8_0
    assert value(reader, "llama.context_length") == 2048
    assert value(reader, "llama.attention.layer_norm_rms_epsilon") == pytest.approx(1e-5)
    heads, kv_heads = value(reader, "llama.attention.head_count"), value(reader, "llama.attention.head_count_kv")
    width = value(reader, "llama.embedding_length")
    assert heads % kv_heads == 0
    assert value(reader, "llama.rope.dimension_count") * heads == width


def test_tensors_have_the_names_shapes_and_types_the_metadata_promises(
    readers: dict[str, gguf.GGUFReader], role: str
) -> None:
    reader = readers[role]
    layers, width = value(reader, "llama.block_count"), value(reader, "llama.embedding_length")
    hidden, vocab = value(reader, "llama.feed_forward_length"), len(value(reader, "tokenizer.ggml.tokens"))
    narrow = value(reader, "llama.rope.dimension_count") * value(reader, "llama.attention.head_count_kv")
    rows = {"attn_k": narrow, "attn_v": narrow, "ffn_gate": hidden, "ffn_up": hidden}
    expected = {"token_embd.weight": (width, vocab), "output_norm.weight": (width,)}
    for layer in range(layers):
        expected |= {f"blk.{layer}.{name}.weight": (width,) for name in NORMS}
        expected |= {f"blk.{layer}.{name}.weight": (width, rows.get(name, width)) for name in MATRICES}
        expected[f"blk.{layer}.ffn_down.weight"] = (hidden, width)
    assert {t.name: tuple(t.shape.tolist()) for t in reader.tensors} == expected
    for tensor in reader.tensors:
        kind = gguf.GGMLQuantizationType.F32 if len(tensor.shape) == 1 else gguf.GGMLQuantizationType.Q8_0
        assert tensor.tensor_type == kind, tensor.name
        assert tensor.shape[0] % 256 == 0, tensor.name


def test_the_pair_shares_one_vocabulary(readers: dict[str, gguf.GGUFReader]) -> None:
    target, draft = readers["target"], readers["draft"]
    keys = [key for key in target.fields if key.startswith("tokenizer.")]
    assert keys == [key for key in draft.fields if key.startswith("tokenizer.")]
    for key in keys:
        assert value(target, key) == value(draft, key), key


def test_the_vocabulary_is_complete_and_its_special_tokens_are_marked(readers: dict[str, gguf.GGUFReader]) -> None:
    reader = readers["target"]
    tokens, types = value(reader, "tokenizer.ggml.tokens"), value(reader, "tokenizer.ggml.token_type")
    assert len(tokens) == len(set(tokens)) == value(reader, "llama.vocab_size")
    assert value(reader, "tokenizer.ggml.model") == "gpt2"
    assert value(reader, "tokenizer.ggml.pre") == "qwen2"
    control = {t for t, kind in zip(tokens, types, strict=True) if kind == gguf.TokenType.CONTROL}
    assert control == {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}
    for key, token in {
        "eos": "<|im_end|>",
        "eot": "<|im_end|>",
        "bos": "<|endoftext|>",
        "padding": "<|endoftext|>",
    }.items():
        assert tokens[value(reader, f"tokenizer.ggml.{key}_token_id")] == token
    assert value(reader, "tokenizer.ggml.add_bos_token") is False
    # Every merge joins two tokens into a third: otherwise some text could not be tokenized as it was in training.
    known = set(tokens)
    assert sum(len(t) == 1 for t in tokens) == 256
    for merge in value(reader, "tokenizer.ggml.merges"):
        left, right = merge.split(" ")
        assert {left, right, left + right} <= known, merge


def test_the_template_is_chatml(readers: dict[str, gguf.GGUFReader]) -> None:
    import jinja2

    template = jinja2.Template(value(readers["target"], "tokenizer.chat_template"))
    text = template.render(messages=[{"role": "user", "content": "Hi"}], add_generation_prompt=True)
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_the_model_card_tells_how_it_was_made(readers: dict[str, gguf.GGUFReader], role: str) -> None:
    reader = readers[role]
    for key in ("general.name", "general.description", "llamaspec.demo.losses", "llamaspec.demo.objective"):
        assert value(reader, key)
    assert value(reader, "general.license") == "mit"
    assert "demo" in value(reader, "general.tags")
    assert value(reader, "llamaspec.demo.role") == role
    for source in value(reader, "llamaspec.demo.corpus"):
        assert re.search(r"\d.* \((PSF|MIT|BSD|Apache)[^)]*\)$", source), source
    assert len(value(reader, "llamaspec.demo.held_out")) == 50


def test_the_draft_was_measured_against_the_target(readers: dict[str, gguf.GGUFReader]) -> None:
    reader = readers["draft"]
    kept, drafted = map(int, re.search(r"(\d+)/(\d+)", value(reader, "llamaspec.demo.acceptance.line")).groups())
    assert value(reader, "llamaspec.demo.acceptance.draft_max") == 3
    assert value(reader, "llamaspec.demo.acceptance") == pytest.approx(kept / drafted)
    assert kept / drafted >= 0.6
