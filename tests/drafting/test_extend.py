"""A model's chain made longer by text drafters."""

import pytest

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.extend import Extended
from llamaspec.drafting.types import ngram_simple
from tests.drafting.fakes import Scripted


class Text:
    name, n_max = "text", 8

    def __init__(self, more):
        self.more = more

    def after(self, slot, ahead):
        return [*ahead[-1:], *self.more] if self.more else []


CHAIN = Draft.chain([1, 2, 3, 4], "draft-simple", (0.9, 0.8, 0.7, 0.6))


def made(draft: Draft = CHAIN, *followers: Text, n_max: int = 8) -> Extended:
    return Extended(Scripted("draft-simple", {0: draft}), followers or (Text([]), Text([5, 6, 7, 8])), n_max)


def test_the_first_follower_with_an_idea_continues_the_chain():
    (draft,) = made().propose([Slot(0)])
    assert draft.tokens == (1, 2, 3, 4, 4, 5, 6, 7)
    assert draft.is_chain
    assert draft.by == "draft-simple"


@pytest.mark.parametrize(("limit", "length"), [(-1, 8), (6, 6), (4, 4), (20, 8)])
def test_the_limits_hold(limit, length):
    (draft,) = made().propose([Slot(0, limit=limit)])
    assert len(draft) == length


@pytest.mark.parametrize("draft", [Draft(), Draft.chain([1, 2]), Draft((1, 2, 3, 4), (-1, -1, 0, 1))])
def test_unsure_chains_and_trees_stay(draft):
    assert made(draft).propose([Slot(0)]) == [draft]


def test_nobody_has_an_idea():
    assert made(CHAIN, Text([])).propose([Slot(0)]) == [CHAIN]


def test_the_drafter_hears_of_its_own_tokens_only():
    extended = made()
    extended.propose([Slot(0)])
    extended.accept(Slot(0), 7, True)
    extended.accept(Slot(0), 2, True)
    extended.accept(Slot(0), 7, False)
    assert extended.drafter.heard[-3:] == [("accept", 0, 4, True), ("accept", 0, 2, True), ("accept", 0, 7, False)]


def test_looking_past_a_draft_teaches_nothing():
    text = [1, 2, 3, 4, 5, 6, 7, 8] * 3
    follower = ngram_simple.Drafter(ngram_simple.Params(2, 4))
    slot = Slot(0, list(text))
    follower.begin(slot)
    before = list(follower.guess(slot))
    assert list(follower.after(slot, [1, 2, 3, 4])) == [5, 6, 7]  # the newest token is not copied
    assert list(follower.after(slot, [90, 91])) == []
    assert list(follower.guess(slot)) == before == [1, 2, 3, 4]
