"""The meter: what counts, and that the drafter notices nothing."""

import pytest

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.measured import Measured
from llamaspec.drafting.types import ngram_cache, ngram_mod
from tests.drafting.fakes import Scripted


def test_counters_of_the_calls():
    measured = Measured(Scripted("x", {0: Draft.chain([1, 2, 3]), 1: Draft.chain([4])}))
    measured.begin(Slot(0))
    measured.propose([Slot(0, limit=2), Slot(1), Slot(2)])
    measured.propose([Slot(2)])
    for n, mine in ((2, True), (0, True), (1, False)):
        measured.accept(Slot(0), n, mine)
    counters = measured.counters
    assert (counters.calls_begin, counters.calls_draft, counters.calls_accept) == (1, 2, 2)
    assert (counters.gen_drafts, counters.gen_tokens, counters.gen_levels) == (2, 3, 3)
    assert (counters.acc_drafts, counters.acc_tokens, counters.per_pos) == (1, 2, [1, 1])
    assert measured.drafter.heard[-3:] == [("accept", 0, 2, True), ("accept", 0, 0, True), ("accept", 0, 1, False)]


def test_a_tree_has_fewer_levels_than_tokens():
    measured = Measured(Scripted("x", {0: Draft((1, 2, 3, 4), (-1, -1, 0, 2))}))
    measured.propose([Slot(0)])
    measured.propose([Slot(0, limit=2)])
    assert (measured.counters.gen_tokens, measured.counters.gen_levels) == (6, 4)


def test_durations_are_of_the_three_timed_calls():
    measured = Measured(Scripted("x", {0: Draft.chain([1])}))
    measured.begin(Slot(0))
    measured.propose([Slot(0)])
    counters = measured.counters
    assert counters.ms_begin > 0
    assert counters.ms_draft > 0
    assert counters.ms_accept == 0
    measured.accept(Slot(0), 1, False)
    assert counters.ms_accept == 0
    measured.accept(Slot(0), 1, True)
    assert counters.ms_accept > 0


def test_a_drafter_that_forgets_a_slot_is_a_bug():
    class Short(Scripted):
        def propose(self, slots):
            return super().propose(slots)[1:]

    with pytest.raises(AssertionError):
        Measured(Short("x")).propose([Slot(0), Slot(1)])


def test_settings_are_the_knobs_in_force():
    assert Measured(ngram_mod.Drafter()).counters.settings == {"n_match": 24, "n_min": 48, "n_max": 64}
    assert Measured(ngram_cache.Drafter()).counters.settings == {"n_max": 8}
    assert Measured(Scripted("x", n_max=7)).counters.settings == {"n_max": 7}


def test_what_the_device_drafted_is_counted_as_if_it_had_been_proposed():
    measured = Measured(Scripted("x"))
    for n, kept in ((3, 2), (3, 0), (0, 0)):
        measured.drafted_on_device(Slot(4), n, kept)
    counters = measured.counters
    assert (counters.calls_draft, counters.gen_drafts, counters.gen_tokens, counters.gen_levels) == (2, 2, 6, 6)
    assert (counters.calls_accept, counters.acc_drafts, counters.acc_tokens) == (2, 1, 2)
    assert measured.drafter.heard == [("drafted_on_device", 4, *said) for said in ((3, 2), (3, 0), (0, 0))]
