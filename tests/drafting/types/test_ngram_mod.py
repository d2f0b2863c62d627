"""ngram-mod: the pool's addresses, what wipes it, and the fixes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.types import ngram_mod
from llamaspec.drafting.types.ngram_mod import SIZE, Drafter, Params, Pool, index
from llamaspec.errors import UsageError
from tests.drafting import vectors
from tests.drafting.types.texts import HOSTILE, play, texts


def test_addresses_are_the_references():
    entries = vectors.raw("mod_index")
    assert entries
    for entry in entries:
        assert index(entry["tokens"]) == entry["index"], entry


@given(st.lists(st.integers(0, 200_000), min_size=5, max_size=60), st.integers(1, 4))
def test_rolling_addresses_are_the_plain_ones(text, n):
    pool = Pool()
    pool.add(text, n, 0, len(text) - n)
    expected = {index(text[i : i + n]): text[i + n] for i in range(len(text) - n)}
    assert {at: pool.entries[at] - 1 for at in expected} == expected
    assert pool.used == len(expected)
    chain, run = [], text[-n:]
    while len(chain) < 20 and index(run) in expected:
        chain.append(expected[index(run)])
        run = [*run, chain[-1]][-n:]
    assert pool.chain(text[-n:], 20) == chain


@given(texts, st.integers(1, 4), st.integers(0, 4), st.integers(1, 30), st.integers(-1, 5))
def test_drafts_are_bounded_and_made_of_the_text(text, n, n_min, start, limit):
    drafter = Drafter(Params(n, n_min, 6))
    for slot, draft in play(drafter, text, start, limit):
        assert len(draft) <= 6
        assert set(draft) <= set(slot.tokens)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_histories(name):
    text = HOSTILE[name]
    for slot, draft in play(Drafter(Params(2, 0, 16)), text, max(len(text) - 200, 1)):
        assert set(draft) <= set(slot.tokens)


def test_bad_drafts_in_a_row_wipe_the_pool():
    slot = Slot(0, [1, 2, 3, 4, 5, 6] * 4)
    drafter = Drafter(Params(2, 0, 8))
    drafter.begin(slot)
    for n in (0, 1, 1, 1, 2, 0, 1, 1, 1):  # the 2 of 8 is a quarter, and that is not bad
        assert len(drafter.guess(slot)) == 8
        drafter.accept(slot, n, True)
    drafter.accept(slot, 0, False)
    assert drafter.pool.used > 0
    drafter.accept(slot, 1, True)
    assert drafter.pool.used == 0


def test_a_cut_by_the_limit_is_no_failure():
    for compat, left in ((True, 0), (False, 6)):
        slot = Slot(0, [1, 2, 3, 4, 5, 6] * 4, limit=1)
        drafter = Drafter(Params(2, 0, 8), compat)
        drafter.begin(slot)
        for _ in range(ngram_mod.STREAK):
            drafter.guess(slot)
            drafter.accept(slot, 1, True)
        assert drafter.pool.used == left


def test_slots_share_the_pool():
    drafter = Drafter(Params(2, 0, 3))
    drafter.begin(Slot(0, [1, 2, 3, 4, 5]))
    assert list(drafter.guess(Slot(1, [9, 9, 1, 2]))) == [3, 4, 5]


def test_learning_goes_on_after_a_cut_history():
    text = [i % 97 for i in range(400)]
    slot = Slot(0, list(text))
    drafter = Drafter(Params(3, 0, 4))
    drafter.begin(slot)
    del slot.tokens[50:300]
    drafter.guess(slot)
    slot.tokens += [200 + i for i in range(60)]
    drafter.guess(slot)
    assert drafter.after(Slot(0, [200, 201, 202, 203]), ()) != []


def test_a_full_pool_is_wiped_at_begin(monkeypatch):
    monkeypatch.setattr(ngram_mod, "FULL", 10 / SIZE)
    drafter = Drafter(Params(2, 0, 3))
    drafter.begin(Slot(0, list(range(12))))
    assert drafter.pool.used == 10
    drafter.begin(Slot(0, list(range(13))))
    assert drafter.pool.used == 0


def test_no_draft_could_ever_be_offered():
    with pytest.raises(UsageError) as error:
        Drafter(Params(24, 48, 16))
    assert "n-min 48 is above n-max 16" in error.value.message
    drafter, slot = Drafter(Params(2, 8, 4), compat=True), Slot(0, [1, 2, 3] * 5)
    drafter.begin(slot)
    assert len(drafter.guess(slot)) == 4  # llama.cpp does offer a draft that reaches n-max


@pytest.mark.parametrize("wrong", [{"n_match": 0}, {"n_min": -1}, {"n_max": 1025}])
def test_knobs_out_of_range(wrong):
    with pytest.raises(UsageError):
        Params(**wrong)
