"""--spec-suffix-corpus: a text, and what is none."""

import pytest

import llamaspec
from llamaspec.drafting import corpus
from llamaspec.errors import LlamaspecError, UsageError
from tests.engine.conftest import tokenizer, usable


@pytest.fixture(scope="module")
def target():
    return next(iter(usable().values()))


def test_a_text_in_the_models_tokens(target, tmp_path):
    text = "return self.value\n<|im_end|> ü"
    (tmp_path / "x.txt").write_text(text, encoding="utf-8")
    words = tokenizer(target)
    tokens = corpus.text_corpus(str(tmp_path / "x.txt"), words)
    assert tokens == words.encode(text, False, False)
    assert words.bos not in tokens[:1]


def test_it_reaches_the_drafter_and_drafts(target, tmp_path):
    (tmp_path / "x.txt").write_text("one two three four five six seven eight nine ten " * 3)
    prompt = "one two three four five"
    keywords = {"device": "cpu", "ctx_size": 128, "spec_type": "suffix", "spec_suffix_p_min": 0.1}
    drafted = []
    for more in ({}, {"spec_suffix_corpus": str(tmp_path / "x.txt")}):
        llm = llamaspec.load(target, **keywords, **more)
        llm.session.loop.adopt(llm.session.slot, llm.tokenize(prompt))
        llm.drafter.begin(llm.session.slot)
        drafted.append(llm.drafter.propose([llm.session.slot])[0].tokens)
    assert len(drafted[1]) > len(drafted[0])
    words = tokenizer(target)
    continued = words.decode([*words.encode(prompt, False, False), *drafted[1]]).decode()
    assert continued.strip().startswith(prompt + " six")


def test_more_than_fits(target, tmp_path, monkeypatch):
    path = tmp_path / "x.txt"
    path.write_text("a b " * 100)
    monkeypatch.setattr(corpus, "LONGEST", 20)
    with pytest.raises(UsageError, match="may have 20"):
        corpus.text_corpus(str(path), tokenizer(target))
    monkeypatch.setattr(corpus, "BYTES_PER_TOKEN", 2)
    with pytest.raises(LlamaspecError, match="longer than"):
        corpus.text_corpus(str(path), tokenizer(target))


def test_what_is_no_text(target, tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\1\0\0\0")
    for path in (tmp_path / "x.bin", tmp_path / "absent", tmp_path):
        with pytest.raises(LlamaspecError):
            llamaspec.load(target, device="cpu", spec_type="suffix", spec_suffix_corpus=str(path))
