"""What a run taught its drafters outlives it."""

import pytest

import llamaspec
from llamaspec.drafting.lookup_cache import LookupCache
from llamaspec.errors import LlamaspecError
from tests.engine.conftest import usable

PROMPT = [5, 6, 7, 8, 5, 6, 7, 8, 5, 6]


def load(path, **keywords):
    target = next(iter(usable().values()))
    words = {"device": "cpu", "ctx_size": 128, "spec_type": "ngram-cache", "lookup_cache_dynamic": str(path)}
    return llamaspec.load(target, **{**words, **keywords})


def answer(llm):
    return llm.complete(PROMPT, n_predict=8, temp=0, stop_at_eog=False).tokens


def counts(path):
    return dict(LookupCache.read(path).items())


def test_the_context_manager_saves(tmp_path):
    path = tmp_path / "x.bin"
    with load(path) as llm:
        tokens = answer(llm)
        assert not path.exists()
    expected = LookupCache()
    expected.learn([*PROMPT, *tokens])
    assert counts(path) == dict(expected.items())


def test_an_exception_does_not_lose_what_was_learnt(tmp_path):
    path = tmp_path / "x.bin"

    def interrupted():
        with load(path) as llm:
            answer(llm)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert counts(path)


def test_closing_again_counts_nothing_twice(tmp_path):
    path = tmp_path / "x.bin"
    llm = load(path)
    answer(llm)
    llm.close()
    first = counts(path)
    llm.close()
    assert counts(path) == first
    answer(llm)
    llm.close()
    assert counts(path) != {}


def test_the_next_run_goes_on(tmp_path):
    path = tmp_path / "x.bin"
    for times in (1, 2):
        with load(path) as llm:
            answer(llm)
        assert counts(path)[(5, 6)][7] == 2 * times


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.bin"
    with load(path) as llm:
        answer(llm)
    before = path.read_bytes()
    llm = load(path)
    answer(llm)

    def full(*words):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(LlamaspecError, match="No space left"):
            llm.close()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["x.bin"]
    llm.close()
    assert path.read_bytes() != before


def test_a_folder_that_is_not_there_is_told_before_the_work(tmp_path):
    with pytest.raises(LlamaspecError, match="no such folder"):
        load(tmp_path / "no" / "x.bin")


def test_others_have_nothing_to_close(tmp_path):
    with load(tmp_path / "x", spec_type="ngram-simple") as llm:
        answer(llm)
    with load(tmp_path / "x", spec_type="none"):
        pass
    with llamaspec.load(next(iter(usable().values())), vocab_only=True) as llm:
        assert llm.tokenize("a")
    assert list(tmp_path.iterdir()) == []


def test_files_for_drafters_that_do_not_run_are_told(tmp_path):
    said = []
    load(tmp_path / "x", spec_type="ngram-simple", spec_suffix_corpus="y", report=said.append)
    assert [line.split()[0] for line in said if "has no effect" in line] == ["-lcd", "--spec-suffix-corpus"]
    said.clear()
    load(tmp_path / "x", report=said.append)
    assert [line for line in said if "has no effect" in line] == []
