"""ngram-simple: the index answers as the scan of the specification does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.types.ngram_simple import Drafter, Params
from llamaspec.errors import UsageError
from tests.drafting.types.texts import HOSTILE, play, texts


def scan(tokens, n, m):
    """Specification 3.1, word for word."""
    hist, key = tokens[:-1], tokens[-n:]
    if len(hist) <= n + m + 1:
        return []
    for j in range(len(hist) - n - 1, 0, -1):
        if hist[j : j + n] == key:
            take = min(m, len(hist) - (j + n))
            return [] if take < n else hist[j + n : j + n + take]
    return []


@given(texts, st.integers(1, 4), st.integers(1, 6), st.integers(1, 30), st.booleans())
def test_the_index_answers_as_the_scan_does(text, n, m, start, compat):
    for slot, draft in play(Drafter(Params(n, m), compat), text, start):
        assert draft == scan(slot.tokens, n, m)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_histories(name):
    text = HOSTILE[name]
    for slot, draft in play(Drafter(Params(12, 48)), text, max(len(text) - 200, 1)):
        assert draft == scan(slot.tokens, 12, 48)


@given(texts, texts, st.integers(1, 3))
def test_a_cut_or_edited_history_is_read_again(first, second, n):
    drafter = Drafter(Params(n, 2))
    slot = Slot(0, list(first))
    drafter.begin(slot)
    drafter.guess(slot)
    slot.tokens = list(second)
    if len(second) >= len(first):
        drafter.forget(slot)
    assert list(drafter.guess(slot)) == scan(second, n, 2)


def test_min_hits_asks_for_that_many_earlier_occurrences():
    text = [1, 2, 3, 4, 5] * 4
    slot = Slot(0, [9, *text])
    assert [bool(Drafter(Params(2, 2, hits)).guess(slot)) for hits in (1, 2, 3, 4)] == [True, True, True, False]
    assert Drafter(Params(2, 2, 4), compat=True).guess(slot)


def test_slots_do_not_mix():
    drafter = Drafter(Params(2, 3))
    slots = [Slot(0, [1, 2, 3, 4, 5] * 3), Slot(1, [1, 2, 6, 7, 8] * 3)]
    assert [draft.tokens for draft in drafter.propose(slots)] == [(1, 2, 3), (1, 2, 6)]
    slots[0].tokens += [1, 2]
    slots[1].tokens += [1, 2]
    assert [draft.tokens for draft in drafter.propose(slots)] == [(3, 4, 5), (6, 7, 8)]


@pytest.mark.parametrize(
    "wrong", [{"size_n": 0}, {"size_n": 1025}, {"size_m": 0}, {"min_hits": -1}, {"size_n": True}, {"size_n": 2.5}]
)
def test_knobs_out_of_range_are_explained(wrong):
    with pytest.raises(UsageError) as error:
        Params(**wrong)
    assert "1 to 1024" in error.value.message
    assert "--spec-ngram-simple-" in error.value.hint
