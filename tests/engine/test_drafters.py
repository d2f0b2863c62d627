"""Which draft models are taken, translated, warned about and refused, in words that help."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from llamaspec import demo
from llamaspec.engine.llm import LLM
from llamaspec.engine.load import head_type, known_architecture
from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.options import from_keywords
from llamaspec.weights.file import GGUFFile
from tests import goldens
from tests.engine.conftest import tokenizer, usable

Load = Callable[..., tuple[LLM, list[str]]]


@pytest.fixture(scope="module")
def strangers() -> tuple[Path, Path]:
    """Two models whose tokenizers are of different kinds."""
    models = usable().values()
    return next((a, b) for a in models for b in models if tokenizer(a).kind != tokenizer(b).kind)


def load(target: Path, draft: Path, **keywords: Any) -> tuple[LLM, list[str]]:
    """An LLM and what it had to say."""
    said: list[str] = []
    keywords = {"device": "cpu", "ctx_size": 256, **keywords}
    return LLM(from_keywords(target, model_draft=str(draft), **keywords), said.append), said


def test_the_same_file_twice_needs_no_word(pair):
    _, said = load(pair[0], pair[0])
    assert said == []


def test_one_note_names_the_first_difference(strangers):
    llm, said = load(*strangers, spec_type="draft-simple,draft-tree")
    assert [("vocabulary differs" in line, "of kind" in line) for line in said if "vocabulary" in line] == [
        (True, True)
    ]
    assert [drafter.name for drafter in llm.drafter.drafters] == ["draft-simple", "draft-tree"]


@pytest.mark.parametrize("keywords", [{"spec_strict": True}, {"spec_compat": "reference"}])
def test_whoever_wants_no_translation_gets_none(strangers, keywords):
    with pytest.raises(LlamaspecError, match="vocabulary differs") as refused:
        load(*strangers, **keywords)
    assert next(iter(keywords)).replace("_", "-") in (refused.value.hint or "")


def test_replacements_choose_translation_as_text(strangers):
    _, said = load(*strangers, spec_replace=[["<|im_start|>", "[INST]"]])
    assert any("converted through text" in line for line in said)


def test_replacements_without_effect_are_told(pair):
    _, said = load(*pair, spec_replace=["a b"])
    assert any("--spec-replace has no effect" in line for line in said)


def work(file: GGUFFile) -> int:
    """Roughly what a token costs."""
    name = file.metadata.architecture
    return file.metadata[f"{name}.block_count"] * file.metadata[f"{name}.embedding_length"] ** 2


def test_a_draft_that_is_bigger_is_warned_about():
    small, big = demo.draft(), demo.target()
    assert work(GGUFFile(small)) < work(GGUFFile(big))
    assert any("larger than the target" in line for line in load(small, big)[1])
    assert not any("larger than the target" in line for line in load(big, small)[1])


def test_extension_needs_someone_who_can_extend(pair):
    with pytest.raises(UsageError, match="--spec-extend") as refused:
        load(*pair, spec_extend=8)
    assert "ngram-simple, ngram-mod" in refused.value.hint


def test_flags_of_drafters_that_do_not_run_are_told(pair):
    _, said = load(*pair, spec_draft_p_split=0.2, spec_ngram_mod_n_match=9, spec_draft_n_max=4)
    assert said == [
        "--spec-ngram-mod-n-match has no effect without --spec-type ngram-mod",
        "--spec-draft-p-split has no effect without --spec-type draft-tree",
    ]
    said.clear()
    llm = LLM(from_keywords(pair[0], device="cpu", ctx_size=64, spec_type="ngram-simple", spec_extend=9), said.append)
    assert said == ["--spec-extend has no effect without a draft model"]
    assert [drafter.n_max for drafter in llm.drafter.drafters] == [48]


def test_extended_drafts_are_longer(pair):
    llm, _ = load(pair[0], pair[0], spec_type="ngram-simple,draft-simple", spec_extend=9, spec_ngram_simple_size_n=2)
    longest = [drafter.n_max for drafter in llm.drafter.drafters if drafter.name == "draft-simple"]
    assert longest == [9]


def heads() -> list[tuple[Path, str]]:
    """The trained heads among the goldens, with the mode their entry names."""
    found = []
    for folder in goldens.folders():
        index = folder / "goldens" / "index.json"
        entries = json.loads(index.read_text()) if index.is_file() else {}
        for entry in entries.values():
            if entry.get("mode") and entry.get("draft") and (index.parent / entry["draft"]).is_file():
                found.append((index.parent / entry["draft"], entry["mode"]))
    return found


@pytest.mark.parametrize("at", range(len(heads())))
def test_a_trained_head_is_refused_with_the_type_it_wants(pair, at):
    path, mode = heads()[at]
    with pytest.raises(LlamaspecError, match="trained draft head") as refused:
        load(pair[0], path)
    assert f"--spec-type draft-{mode}" in (refused.value.hint or "")


def file_with(path: Path, architecture: str, blocks: int, tensors: list[str]) -> GGUFFile:
    """A GGUF of a few numbers."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(blocks)
    for name in tensors:
        writer.add_tensor(name, np.zeros(32, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return GGUFFile(path)


NORM = "blk.0.attn_norm.weight"


@pytest.mark.parametrize(
    ("architecture", "blocks", "tensors", "kind"),
    [
        ("eagle3", 1, [NORM], "draft-eagle3"),
        ("dflash", 2, [NORM], "draft-dflash"),
        ("dflash", 2, [NORM, "markov_w1.weight"], "draft-dspark"),
        ("gemma4-assistant", 4, [NORM], "draft-mtp"),
        ("glm4moe", 47, ["blk.46.nextn.eh_proj.weight"], "draft-mtp"),
        ("qwen35", 1, [NORM, "blk.0.nextn.eh_proj.weight"], "draft-mtp"),
        ("glm4moe", 3, [NORM, "blk.2.nextn.eh_proj.weight"], ""),
        ("llama", 2, [NORM], ""),
    ],
)
def test_what_a_file_is_for(tmp_path, architecture, blocks, tensors, kind):
    file = file_with(tmp_path / "x.gguf", architecture, blocks, tensors)
    assert head_type(file) == kind
    if kind:
        with pytest.raises(LlamaspecError) as refused:
            known_architecture(file)
        assert kind in (refused.value.hint or "")
