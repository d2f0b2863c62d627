"""suffix: drafts are continuations of suffixes that occurred before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.types.suffix import Drafter, Params
from llamaspec.errors import UsageError
from tests.drafting.types.texts import HOSTILE, play, texts


def stands_in(part, text):
    return any(text[i : i + len(part)] == part for i in range(len(text) - len(part) + 1))


@given(texts, st.integers(1, 4), st.integers(1, 9), st.integers(1, 30), st.integers(-1, 4))
def test_every_draft_continues_a_suffix_somewhere(text, min_match, n_max, start, limit):
    for slot, draft in play(Drafter(Params(n_max, min_match, 0.1)), text, start, limit):
        assert len(draft) <= n_max
        assert not draft or stands_in([*slot.tokens[-min_match:], *draft], slot.tokens)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_histories(name):
    text = HOSTILE[name]
    for slot, draft in play(Drafter(Params(16, 1, 0.0)), text, max(len(text) - 200, 1)):
        assert set(draft) <= set(slot.tokens)


def test_a_long_history():
    text = [(i * i) % 977 for i in range(100_000)]
    drafts = [draft for _, draft in play(Drafter(), text, len(text) - 100)]
    assert max(map(len, drafts)) == 15


def guessed(text, **knobs):
    drafter = Drafter(Params(**knobs))
    drafter.begin(Slot(0, list(text)))
    return list(drafter.guess(Slot(0, list(text))))


def test_the_more_frequent_continuation_wins():
    assert guessed([1, 2, 3, 7, 1, 2, 3, 8, 1, 2, 3, 7, 9, 1, 2, 3], n_max=1) == [7]
    assert guessed([1, 2, 3, 8, 1, 2, 3, 8, 1, 2, 3, 7, 9, 1, 2, 3], n_max=1) == [8]


def test_p_min_ends_a_draft():
    text = [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3]
    assert guessed(text, p_min=0.0) == [4, 5, 6, 7, 8, 1, 2, 3]
    lengths = [len(guessed(text, p_min=p_min)) for p_min in (0.05, 0.15, 0.25, 0.6)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1] == 0


def test_a_longer_match_promises_more():
    short, long = [*range(60), 58, 0, 1], [*range(60), 58, *range(30)]
    assert 0 < len(guessed(short)) < len(guessed(long)) == 15


def test_min_match():
    text = [*range(60), 0, 1, 2]
    assert guessed(text, min_match=4, p_min=0.0) == []
    assert guessed(text, min_match=3, p_min=0.0, n_max=9) == list(range(3, 12))


def test_a_corpus_helps_from_the_first_token():
    corpus = list(range(100, 160))
    assert guessed([1, 2, 110, 111, 112], corpus=corpus, p_min=0.0, n_max=4) == [113, 114, 115, 116]
    assert guessed([1, 2, 110, 111, 112], p_min=0.0) == []


def test_an_edited_history_is_learnt_anew():
    drafter = Drafter(Params(p_min=0.0))
    slot = Slot(0, [1, 2, 3, 4, 5, 1, 2, 3])
    drafter.begin(slot)
    assert list(drafter.guess(slot))[:2] == [4, 5]
    slot.tokens = [1, 2, 3, 6, 1, 2, 3]
    assert list(drafter.guess(slot))[:1] == [6]
    slot.tokens = [7, 8, 9, 1, 7, 8, 9]
    drafter.begin(slot)
    assert list(drafter.guess(slot))[:1] == [1]


def test_looking_past_a_draft():
    drafter = Drafter(Params(p_min=0.0, n_max=3))
    slot = Slot(0, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3])
    drafter.begin(slot)
    assert list(drafter.after(slot, [4, 5])) == [6, 7, 8]
    assert list(drafter.after(slot, [40])) == []
    assert list(drafter.after(slot, ())) == list(drafter.guess(slot))


@pytest.mark.parametrize("wrong", [{"n_max": 0}, {"min_match": 0}, {"p_min": 1.1}, {"p_min": float("nan")}])
def test_knobs_out_of_range(wrong):
    with pytest.raises(UsageError):
        Params(**wrong)
