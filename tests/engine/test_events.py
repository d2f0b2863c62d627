"""Who wrote which token, as the events tell it."""

import pytest

import llamaspec
from llamaspec.engine.events import Text
from tests.engine.conftest import usable


@pytest.fixture(scope="module")
def target():
    return str(next(iter(usable().values())))


def authors(target, monkeypatch, **keywords):
    """(by, depth) of each token of an answer."""
    llm = llamaspec.load(target, device="cpu", ctx_size=128, **keywords)
    monkeypatch.setattr(llm.tokenizer, "piece", lambda token, special=False: b"x")  # no token is half a character
    events = llm.stream([5, 6, 7, 8], n_predict=24, temp=0, stop_at_eog=False)
    return [(event.by, event.depth) for event in events if isinstance(event, Text)]


def test_the_model_alone(target, monkeypatch):
    assert authors(target, monkeypatch) == [("", 0)] * 24


@pytest.mark.parametrize("name", ["draft-simple", "draft-tree"])
def test_a_model_that_drafts_for_itself(target, monkeypatch, name):
    """Every step gains three drafted tokens, and then one of the model's own."""
    told = authors(target, monkeypatch, model_draft=target, spec_type=name, spec_draft_n_max=3)
    assert told == [(name, 1), (name, 2), (name, 3), ("", 0)] * 6
