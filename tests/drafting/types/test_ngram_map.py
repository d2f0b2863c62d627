"""ngram-map-k and -k4v: the table's addresses, and each thing that is fixed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.types import ngram_map_k, ngram_map_k4v
from llamaspec.drafting.types._ngram_map import bucket
from llamaspec.errors import UsageError
from tests.drafting import vectors
from tests.drafting.types.texts import HOSTILE, play, texts

BOTH = pytest.mark.parametrize("module", [ngram_map_k, ngram_map_k4v], ids=["k", "k4v"])


def test_addresses_are_the_references():
    entries = vectors.raw("map_hash")
    assert entries
    for entry in entries:
        assert bucket(entry["tokens"]) == entry["bucket"], entry


@BOTH
@given(
    text=texts,
    n=st.integers(1, 3),
    m=st.integers(1, 5),
    start=st.integers(1, 30),
    hits=st.integers(1, 3),
    compat=st.booleans(),
)
def test_drafts_follow_an_earlier_place_of_the_key(module, text, n, m, start, hits, compat):
    for slot, draft in play(module.Drafter(module.Params(n, m, hits), compat), text, start):
        tokens = slot.tokens
        assert len(draft) <= m
        places = [i for i in range(len(tokens) - n) if tokens[i : i + n] == tokens[-n:]]
        assert not draft or any(tokens[i + n : i + n + len(draft)] == draft for i in places)


@BOTH
@pytest.mark.parametrize("compat", [False, True])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_histories(module, compat, name):
    text = HOSTILE[name]
    for slot, draft in play(module.Drafter(module.Params(3, 8), compat), text, max(len(text) - 200, 1)):
        assert set(draft) <= set(slot.tokens)


@BOTH
@given(first=texts, second=texts, third=texts, compat=st.booleans())
def test_a_history_that_shrinks_or_changes_is_no_error(module, first, second, third, compat):
    drafter = module.Drafter(module.Params(1, 2), compat)
    slot = Slot(0, list(first))
    drafter.begin(slot)
    for text in (first, second, third, first + third):
        slot.tokens = list(text)
        draft = list(drafter.guess(slot))
        assert set(draft) <= set(text)
        if draft:
            drafter.accept(slot, len(draft) // 2, True)


PERIOD = [1, 2, 3, 4, 5, 6]


@BOTH
def test_a_rejected_key_speaks_again(module):
    for compat, lengths in ((True, [4, 0, 0, 0]), (False, [4, 1, 2, 4])):
        drafter = module.Drafter(module.Params(2, 4), compat)
        slot = Slot(0, PERIOD * 6)
        drafter.begin(slot)
        seen = []
        for accepted in (0, 1, 2, 4):
            draft = drafter.guess(slot)
            seen.append(len(draft))
            if draft:
                drafter.accept(slot, accepted, True)
            slot.tokens += PERIOD
        assert seen == lengths


@BOTH
def test_a_cut_by_the_limit_is_no_rejection(module):
    for compat, length in ((True, 1), (False, 2)):
        drafter = module.Drafter(module.Params(2, 4), compat)
        slot = Slot(0, PERIOD * 6, limit=1)
        drafter.begin(slot)
        assert len(drafter.guess(slot)) == 4
        drafter.accept(slot, 1, True)
        slot.tokens += PERIOD
        assert len(drafter.guess(slot)) == length


@BOTH
def test_other_drafters_acceptance_is_not_ours(module):
    drafter = module.Drafter(module.Params(2, 4), True)
    slot = Slot(0, PERIOD * 6)
    drafter.begin(slot)
    drafter.guess(slot)
    drafter.accept(slot, 0, False)
    slot.tokens += PERIOD
    assert len(drafter.guess(slot)) == 4


def test_min_hits_counts_occurrences():
    for module in (ngram_map_k, ngram_map_k4v):
        slot = Slot(0, [9, 9, *PERIOD * 4])
        drafts = [module.Drafter(module.Params(2, 2, hits)).guess(slot) for hits in (1, 3, 4)]
        assert [bool(draft) for draft in drafts] == [True, True, False], module.Drafter.name
    assert ngram_map_k.Drafter(ngram_map_k.Params(2, 2, 4), compat=True).guess(slot)


def test_k4v_drafts_the_continuation_that_won():
    won, lost = [1, 2, 3, 4], [1, 2, 7, 8]
    text = [0, *won, *won, *won, *won, *lost, 5, 6, 5, 6, 5, 1, 2]
    drafts = [
        ngram_map_k4v.Drafter(ngram_map_k4v.Params(2, 2), compat).guess(Slot(0, text)) for compat in (True, False)
    ]
    assert drafts == [[7, 8], [3, 4]]


def test_k4v_is_silent_when_nothing_dominates():
    text = [0, 1, 2, 3, 4, 1, 2, 7, 8, 5, 6, 5, 6, 5, 1, 2]
    assert ngram_map_k4v.Drafter(ngram_map_k4v.Params(2, 2)).guess(Slot(0, text)) == []


@BOTH
def test_a_prompt_that_continues_keeps_what_was_learnt(module):
    drafter = module.Drafter(module.Params(2, 4))
    slot = Slot(0, PERIOD * 6)
    drafter.begin(slot)
    drafter.guess(slot)
    drafter.accept(slot, 0, True)
    slot.tokens = PERIOD * 8
    drafter.begin(slot)
    assert len(drafter.guess(slot)) == 1
    slot.tokens = [11, *PERIOD * 9]
    drafter.begin(slot)
    assert len(drafter.guess(slot)) == 4


def test_the_reference_needs_the_match_strictly_in_front():
    for compat in (True, False):
        drafter, slot = ngram_map_k.Drafter(ngram_map_k.Params(2, 2), compat), Slot(0, [0, 1, 2, 3, 4, 1, 2])
        assert list(drafter.guess(slot)) == [3, 4]
        assert list(drafter.guess(slot)) == []  # the match is in the table now, at the very end of what counts


TEXT = [*range(10, 20), 1, 2, 3, 4, *range(20, 30)]


def dead(module, hits=1):
    """A drafter with the key (1, 2) at 10, rejected outright."""
    drafter, slot = module.Drafter(module.Params(2, 2, hits), True), Slot(0, list(TEXT))
    drafter.begin(slot)
    slot.tokens += [1, 2]
    if drafter.guess(slot):
        drafter.accept(slot, 0, True)
    return drafter, slot


@BOTH
def test_the_reference_cleans_a_little_in_front_of_a_shorter_prompt(module):
    for length, draft in ((13, [3, 4]), (17, [])):  # cut = length - n - m: 9 and 13
        drafter, slot = dead(module)
        slot.tokens = TEXT[:length]
        drafter.begin(slot)
        slot.tokens = [*TEXT, 1, 2, 3, 4, *range(40, 45), 1, 2]
        assert list(drafter.guess(slot)) == draft


@BOTH
def test_an_edited_history_has_other_keys(module):
    drafter, slot = dead(module)
    slot.tokens = [*range(50, 80), 1, 2, 3, 4, *range(80, 90), 1, 2]
    drafter.forget(slot)
    assert list(drafter.guess(slot)) == [3, 4]


def test_the_reference_drops_k4v_keys_without_a_continuation():
    drafter, slot = dead(ngram_map_k4v, hits=3)
    slot.tokens += [5, 5, 1, 2]
    assert list(drafter.guess(slot)) == []
    slot.tokens = list(TEXT)  # shorter than the history, so this begin cleans; the key stands in front of the cut
    drafter.begin(slot)
    slot.tokens += [1, 2]
    assert list(drafter.guess(slot)) == []


def test_k4v_counts_every_place_once():
    drafter, slot = (
        ngram_map_k4v.Drafter(ngram_map_k4v.Params(2, 2)),
        Slot(0, [0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 7, 8, 1, 2]),
    )
    for _ in range(2):
        assert list(drafter.guess(slot)) == [3, 4]
        slot.tokens += [3, 4, 1, 2]


@BOTH
def test_knobs_out_of_range(module):
    for wrong in ({"size_n": 0}, {"size_m": 1025}, {"min_hits": 0}):
        with pytest.raises(UsageError) as error:
            module.Params(**wrong)
        assert module.Drafter.name in error.value.message
