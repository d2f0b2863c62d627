"""The container: who is asked, who hears what, and how long a draft may be."""

import random

import pytest

from llamaspec.drafting.build import kind_of, kinds
from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Kept, Slot
from llamaspec.drafting.first_of import FirstOf
from llamaspec.drafting.stats import Request
from tests.drafting.fakes import Scripted

ONE = Draft.chain([1, 2, 3], "one")
TWO = Draft.chain([7], "two")


def ordered(name: str, answers: dict[int, Draft]) -> Scripted:
    """A drafter that is asked when the one of that name is."""
    return Scripted(name, answers, order=kind_of(name).drafter.order)


def test_the_order_is_the_drafters_own_whatever_the_order_of_the_command_line():
    drafters = [Scripted(kind.drafter.name, order=kind.drafter.order) for kind in kinds()]
    names = [drafter.name for drafter in drafters]
    random.Random(0).shuffle(drafters)
    assert [drafter.name for drafter in FirstOf(drafters).drafters] == names


def test_a_drafter_that_names_no_order_is_asked_last():
    drafters = FirstOf([Scripted("mine"), Scripted("draft-simple", order=110)]).drafters
    assert [drafter.name for drafter in drafters] == ["draft-simple", "mine"]


def test_a_drafter_is_asked_only_for_slots_that_have_nothing_yet():
    first, second, third = (
        ordered("ngram-simple", {0: ONE}),
        ordered("ngram-mod", {0: TWO, 1: TWO}),
        ordered("draft-simple", {0: TWO, 2: ONE}),
    )
    drafts = FirstOf([third, first, second]).propose([Slot(2), Slot(0), Slot(1), Slot(3)])
    assert drafts == [ONE, ONE, TWO, Draft()]
    assert first.heard == [("propose", (2, 0, 1, 3))]
    assert second.heard == [("propose", (2, 1, 3))]
    assert third.heard == [("propose", (2, 3))]


def test_nobody_is_asked_once_every_slot_has_a_draft():
    first, second = ordered("ngram-simple", {0: ONE}), ordered("ngram-mod", {0: TWO})
    container = FirstOf([first, second])
    container.propose([Slot(0)])
    assert second.heard == []
    assert container.propose([]) == []
    assert container.drafters[0].counters.calls_draft == 1
    assert container.drafters[1].counters.calls_draft == 0


@pytest.mark.parametrize(("limit", "length"), [(-1, 3), (0, 3), (1, 1), (2, 2), (3, 3), (9, 3)])
def test_the_limit_cuts_and_none_means_none(limit, length):
    container = FirstOf([ordered("ngram-simple", {0: ONE})])
    (draft,) = container.propose([Slot(0, limit=limit)])
    assert draft.tokens == ONE.tokens[:length]
    assert container.drafters[0].counters.gen_tokens == length


def test_the_limit_counts_the_nodes_of_a_tree():
    tree = Draft((1, 2, 3, 4), (-1, -1, 0, 1), "tree")
    (draft,) = FirstOf([Scripted("recycling", {0: tree})]).propose([Slot(0, limit=3)])
    assert draft == Draft((1, 2, 3), (-1, -1, 0), "tree")


def test_accept_reaches_the_author_first_and_the_others_as_others():
    first, second = ordered("ngram-simple", {0: ONE}), ordered("ngram-mod", {0: TWO, 1: TWO})
    container = FirstOf([second, first])
    container.propose([Slot(0), Slot(1)])
    first.heard.clear(), second.heard.clear()
    container.accept(Slot(1), 1)
    container.accept(Slot(0), 2)
    assert first.heard == [("accept", 1, 1, False), ("accept", 0, 2, True)]
    assert second.heard == [("accept", 1, 1, True), ("accept", 0, 2, False)]
    assert container.drafters[0].counters.acc_tokens == 2
    assert container.drafters[1].counters.acc_tokens == 1


def test_the_author_stays_the_author_after_an_empty_draft():
    first = ordered("ngram-simple", {0: ONE})
    container = FirstOf([first])
    container.propose([Slot(0)])
    first.answers.clear()
    assert container.propose([Slot(0)]) == [Draft()]
    container.accept(Slot(0), 0)
    assert container.drafters[0].counters.calls_accept == 1


def test_accept_without_any_draft_is_nobodys():
    container = FirstOf([Scripted("ngram-simple")])
    container.accept(Slot(0), 0)
    assert container.drafters[0].counters.calls_accept == 0
    with pytest.raises(AssertionError):
        container.accept(Slot(0), 1)


def test_what_the_engine_says_reaches_everybody():
    drafters = [Scripted("ngram-simple"), Scripted("draft-simple")]
    container = FirstOf(drafters)
    container.begin(Slot(3))
    container.observe(Slot(3), Kept([1, 2]))
    container.forget(Slot(3))
    for drafter in drafters:
        assert drafter.heard == [("begin", 3), ("observe", 3, (1, 2)), ("forget", 3)]


def test_wishes_are_united():
    drafters = [
        Scripted("draft-eagle3", features=(9, 2), top=0),
        Scripted("recycling", features=(2, 4), top=8, n_max=16),
    ]
    container = FirstOf(drafters)
    assert (container.features, container.top, container.n_max) == ((2, 4, 9), 8, 16)
    assert (FirstOf([]).features, FirstOf([]).top, FirstOf([]).n_max) == ((), 0, 0)
    assert FirstOf([]).propose([Slot(0)]) == [Draft()]


def test_everybody_is_told_to_save():
    first, second = Scripted("ngram-cache"), Scripted("draft-simple")
    FirstOf([first, second]).save([Slot(2)])
    assert (first.heard, second.heard) == ([("save", (2,))], [("save", (2,))])


def test_a_report_is_a_snapshot():
    container = FirstOf([ordered("ngram-simple", {0: ONE})])
    request = Request()
    container.propose([Slot(0)])
    report = container.report(request)
    request.observe_draft(3, 1)
    container.propose([Slot(0)])
    assert report.drafters[0].gen_drafts == 1
    assert report.request.draft_n == 0
    assert report.n_max == 4
