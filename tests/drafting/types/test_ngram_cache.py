"""ngram-cache: what is learnt when, and the dynamic file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.lookup_cache import LookupCache
from llamaspec.drafting.types.ngram_cache import Drafter, Params
from llamaspec.errors import LlamaspecError, UsageError
from tests.drafting.types.texts import HOSTILE, play, texts


def learnt(text):
    cache = LookupCache()
    cache.learn(text)
    return dict(cache.items())


@given(texts, st.integers(1, 30), st.integers(-1, 4))
def test_generated_text_teaches_as_much_as_the_prompt(text, start, limit):
    drafter = Drafter()
    for slot, draft in play(drafter, text, start, limit):
        assert dict(drafter.learnt().items()) == learnt(slot.tokens)
        assert set(draft) <= set(slot.tokens)
        assert len(draft) <= 8


def test_the_reference_learns_nothing_that_spans_two_calls():
    found = []
    for compat in (True, False):
        text = [1, 2, 3, 4, 5, 6, 7, 8, 9] * 4
        found.append(sum(len(draft) for _, draft in play(Drafter(compat=compat), text, 2)))
    assert found[0] == 0 < found[1]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("compat", [False, True])
def test_hostile_histories(name, compat):
    text = HOSTILE[name]
    for slot, draft in play(Drafter(compat=compat), text, max(len(text) - 200, 1)):
        assert set(draft) <= set(slot.tokens)


def test_a_prompt_that_continues_is_not_counted_twice():
    drafter, text = Drafter(), [1, 2, 3, 1, 2, 3, 4]
    slot = Slot(0, text[:4])
    drafter.begin(slot)
    slot.tokens = list(text)
    drafter.begin(slot)
    assert dict(drafter.learnt().items()) == learnt(text)
    slot.tokens = [5, 6, 7]
    drafter.begin(slot)
    assert dict(drafter.learnt().items()) == learnt([5, 6, 7])


def test_a_cut_history_keeps_its_counts():
    drafter, slot = Drafter(), Slot(0, [1, 2, 3, 1, 2, 3, 1, 2])
    drafter.begin(slot)
    del slot.tokens[2:]
    assert list(drafter.guess(slot))[:3] == [3, 1, 2]
    slot.tokens += [8]
    drafter.guess(slot)
    counts = dict(drafter.learnt().items())
    assert counts[(2,)] == {3: 2, 8: 1}
    assert counts[(1, 2, 3)] == {1: 2}


def test_the_dynamic_file_is_made_and_grows(tmp_path):
    path, text = tmp_path / "dynamic.bin", [1, 2, 3, 4, 5]
    for times in (1, 2):
        drafter = Drafter(Params(dynamic=path))
        drafter.begin(Slot(0, list(text)))
        drafter.begin(Slot(0, [8, 9]))
        drafter.save()
        counts = dict(LookupCache.read(path).items())
        assert counts[(1, 2, 3, 4)] == {5: times}
        assert counts[(8,)] == {9: times}


def test_files_that_are_missing(tmp_path):
    missing = tmp_path / "missing.bin"
    Drafter(Params(dynamic=missing))
    for params, compat in ((Params(static=missing), False), (Params(dynamic=missing), True)):
        with pytest.raises(LlamaspecError) as error:
            Drafter(params, compat)
        assert "missing.bin" in error.value.message


def test_a_file_for_another_model_is_refused(tmp_path):
    path = tmp_path / "other.bin"
    cache = LookupCache()
    cache.learn([900, 1, 2, 500])
    cache.write(path)
    for params in (Params(static=path), Params(dynamic=path)):
        with pytest.raises(LlamaspecError) as error:
            Drafter(params, n_vocab=500)
        assert str(path) in error.value.message
        assert "500" in error.value.message
    Drafter(Params(static=path), n_vocab=501)


def test_without_a_file_nothing_is_written():
    for dynamic in (None, "", b""):
        Drafter(Params(dynamic=dynamic)).save()


def test_the_length_is_a_knob():
    slot = Slot(0, [1, 2, 3] * 9)
    for n_max, compat, length in ((3, False, 3), (20, False, 20), (20, True, 8)):
        drafter = Drafter(Params(n_max), compat)
        drafter.begin(slot)
        assert len(drafter.guess(slot)) == length == drafter.n_max
    with pytest.raises(UsageError):
        Params(0)
