"""Caches that can only go back to some of their lengths (recurrent states, windows): the answers stay the same."""

from typing import Any

import numpy as np
import pytest

import llamaspec
from llamaspec.engine.llm import LLM
from tests.engine.test_invisible import Recorder, answer, model

GRAINS = [8, 0]


def coarsen(cache: Any, grain: int) -> list[int]:
    """Lets `truncate` go back to multiples of grain only, 0 = to nothing, and spoils what it has dropped.

    -> the tokens that each call kept short of what it was asked.
    """
    truncate, short = cache.truncate, []

    def coarse(slot: int, length: int) -> int:
        asked = length
        if length < cache.lengths[slot]:
            length = length // grain * grain if grain else 0
        left = truncate(slot, length)
        short.append(max(0, asked - left))
        for plane in (plane for store in cache.stores for plane in store.planes):
            plane.data[slot, :, left:] = 77  # a number that is wrong, in any float type
        return left

    cache.truncate = coarse
    return short


def fresh(pair: Any, **keywords: Any) -> LLM:
    """A model whose caches nobody else uses."""
    return llamaspec.load(pair[0], device="cpu", ctx_size=512, **keywords)


def assert_same(llm: LLM, prompt: list[int], **keywords: Any) -> list[int]:
    """An answer that goes on from the cache, with the tokens and the bits of one from scratch."""
    expected, rows = answer(model(), prompt, **keywords)
    recorder = Recorder([])
    recorder.attach(llm)
    found = llm.complete(prompt, stop_at_eog=False, **keywords).tokens
    assert found == expected
    for ours, theirs in zip(recorder.rows[: len(found)], rows, strict=True):
        assert np.array_equal(ours.view(np.int32), theirs.view(np.int32))
    return found


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("drafts", [{}, {"spec_type": "ngram-simple", "spec_ngram_simple_size_n": 1}])
def test_a_target_that_cannot_go_back_as_far_as_was_asked(pair, grain, drafts):
    llm = fresh(pair, **drafts)
    short = coarsen(llm.target.cache, grain)
    history = [5, 6, 7, 8, 5, 6, 7, 8, 5, 6]
    for turn in range(4):
        found = assert_same(llm, history, n_predict=15, temp=1.0, seed=turn)
        history = [*history, *found[: 9 - turn], 9, 5, 6]
    text = model().complete(history, n_predict=12, temp=0, stop_at_eog=False).text
    word = text[len(text) // 2 :][:2]
    assert_same(llm, history, n_predict=12, temp=0, reverse_prompt=word)
    assert_same(llm, history, n_predict=12, temp=0)
    assert max(short) > 0


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("kind", ["draft-simple", "draft-tree"])
def test_a_draft_model_that_cannot(pair, grain, kind):
    llm = fresh(pair, model_draft=str(pair[0]), spec_type=kind, spec_draft_n_max=5)
    draft = llm.drafter.drafters[0].drafter.model
    short = coarsen(draft.runner.cache, grain)
    history = [5, 6, 7]
    for turn, chain in enumerate(({"temp": 0}, {"temp": 1.0}, {"temp": 1.0, "repeat_penalty": 1.3})):
        history = [*history, *assert_same(llm, history, n_predict=20, seed=turn, **chain)[: 15 - turn], 9]
        assert draft.runner.cache.lengths == [len(draft.mirrors[0].tokens)]
    steps = llm.complete(history, n_predict=20, temp=0, stop_at_eog=False).timings.steps
    assert steps <= 20 // 6 + 1, "the draft model is the target, and does not see the same history"
    assert max(short) > 0


@pytest.mark.parametrize("grain", GRAINS)
def test_plain_steps_are_only_timed_where_the_cache_is_whole(pair, grain):
    llm = fresh(pair, model_draft=str(pair[0]), spec_draft_n_max=7)
    coarsen(llm.target.cache, grain)
    loop, timed = llm.session.loop, []
    plain = loop.plain

    def watched(slot: Any) -> None:
        assert llm.target.cache.lengths[0] == len(slot.tokens) - 1
        timed.append(slot)
        plain(slot)

    loop.plain = watched
    text = llm.complete([5, 6, 7], n_predict=30, temp=0, stop_at_eog=False).text
    assert timed
    timed.clear()
    done = llm.complete([5, 6, 7], n_predict=30, temp=0, stop_at_eog=False, reverse_prompt=text[9:12])
    assert done.stop == "word"
    assert (done.timings.speed_up > 0) == bool(timed)
