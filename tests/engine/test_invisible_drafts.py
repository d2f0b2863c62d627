"""Speculation is invisible, also with trees of a draft model and with a draft of another vocabulary."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.conftest import tokenizer, usable
from tests.engine.test_invisible import CHAINS, PROMPTS, answer, assert_invisible, model


def drafts() -> dict[str, Path]:
    """The target itself, one with its vocabulary, and strangers: other settings, another kind of tokenizer."""
    target, *others = usable().values()
    own = tokenizer(target)
    found = {"itself": target}
    for path in others:
        theirs = tokenizer(path)
        found.setdefault(f"{theirs.kind == own.kind} {theirs.add_bos == own.add_bos}", path)
    assert len(found) >= 3, "the goldens have one vocabulary only"
    return found


DRAFTS = drafts()


@pytest.mark.parametrize("name", DRAFTS)
@given(data=st.data())
@settings(max_examples=5, deadline=None)
def test_a_draft_of_any_vocabulary(name, data):
    keywords: dict[str, Any] = {
        "model_draft": str(DRAFTS[name]),
        "spec_type": data.draw(st.sampled_from(["draft-simple", "draft-tree", "draft-tree,ngram-simple"])),
        "spec_draft_n_max": data.draw(st.sampled_from([1, 4, 20])),
        "ctx_size_draft": data.draw(st.sampled_from([0, 24])),
        "spec_compat": data.draw(st.sampled_from(["own", "old"])),
    }
    if data.draw(st.booleans()):
        keywords |= {"spec_replace": "e E"}  # translated as text then
    if keywords["spec_type"] == "draft-tree":
        keywords |= {"spec_draft_p_split": data.draw(st.sampled_from([0.0, 0.3]))}
    if "ngram" in keywords["spec_type"]:
        keywords |= {"spec_ngram_simple_size_n": 1, "spec_extend": 12}
    llm = model(**keywords)
    seed = data.draw(st.integers(0, 2**32 - 1))
    chain = data.draw(st.sampled_from(CHAINS))
    assert_invisible(llm, data.draw(PROMPTS), n_predict=12, seed=seed, **chain)


def test_a_tree_of_the_target_itself_is_always_right(pair):
    llm = model(model_draft=str(pair[0]), spec_type="draft-tree", spec_draft_n_max=4)
    for chain in CHAINS:
        llm.target.cache.truncate(0, 0)
        llm.session.slot.tokens = []
        done = llm.complete([5, 6, 7], n_predict=26, seed=3, stop_at_eog=False, **chain)
        assert done.timings.steps <= 6, chain
        assert done.timings.draft_n_accepted >= 20, chain


def test_a_conversation_with_a_stranger_goes_on():
    """Several answers, the history edited in between: the translation follows."""
    stranger = next(path for name, path in DRAFTS.items() if name.startswith("False"))
    llm = model(model_draft=str(stranger), spec_type="draft-tree")
    history = list(range(5, 30))
    for turn in range(3):
        first = llm.complete(history, n_predict=8, temp=1.0, seed=turn, stop_at_eog=False).tokens
        assert first == answer(model(), history, n_predict=8, temp=1.0, seed=turn)[0]
        history = [*history[: 20 + turn], 9, *first[:4]]
