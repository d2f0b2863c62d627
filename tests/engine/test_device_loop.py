"""The device's loop gives the tokens, the statistics and the events of the host's, and asks the host for nothing."""

import functools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import llamaspec
from llamaspec.drafting.drafter import Base
from llamaspec.drafting.first_of import FirstOf
from llamaspec.engine.device.loop import DeviceLoop
from llamaspec.engine.llm import LLM
from llamaspec.engine.step import Loop
from llamaspec.kernels.device import HOST
from llamaspec.sampling.chain import Chain
from llamaspec.sampling.params import SamplerParams
from tests.engine.conftest import usable
from tests.engine.recorder import Eager
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, each

CHAINS: list[dict[str, Any]] = [
    {"temp": 0},
    {"temp": 0.8},
    {"temp": 2.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0},
    {"temp": 1.0, "xtc_probability": 0.5, "xtc_threshold": 0.02},
    {"temp": 1.0, "samplers": "top_k;typ_p;temperature", "typical_p": 0.7},
    {"temp": 1.0, "dynatemp_range": 0.5, "logit_bias": "7+2.5"},
    {"temp": 1.0, "repeat_penalty": 1.3},  # has a memory: walks
]


@functools.cache
def model(on_device: bool, recorded: bool = False, path: Any = None, **keywords: Any) -> LLM:
    """A model whose loop runs on the host, or as one on a device would."""
    path = path or next(iter(usable().values()))
    llm = llamaspec.load(path, device="cpu", kernels="reference", ctx_size=keywords.pop("ctx_size", 512), **keywords)
    assert type(llm.session.loop) is Loop
    if on_device:
        llm.session.loop = DeviceLoop(llm.target, llm.drafter, Eager() if recorded else None)
    return llm


def answer(llm: LLM, prompt: list[int], **keywords: Any):
    """From an empty cache."""
    llm.target.cache.truncate(0, 0)
    llm.session.slot.tokens = []
    return llm.complete(prompt, **{"stop_at_eog": False, **keywords})


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_tokens_and_statistics_are_the_hosts(pair, data):
    keywords: dict[str, Any] = {}
    if n_max := data.draw(st.sampled_from([0, 1, 3, 15])):
        keywords = {"model_draft": str(pair[data.draw(st.sampled_from([0, 1]))]), "spec_draft_n_max": n_max}
    prompt = data.draw(st.lists(st.integers(5, 400), min_size=1, max_size=30))
    chain, seed = data.draw(st.sampled_from(CHAINS)), data.draw(st.integers(0, 2**32 - 1))
    n = data.draw(st.sampled_from([1, 2, 7, 24]))
    host, device = (model(where, **keywords) for where in (False, True))
    expected = answer(host, prompt, n_predict=n, seed=seed, **chain)
    found = answer(device, prompt, n_predict=n, seed=seed, **chain)
    assert found.tokens == expected.tokens
    assert (found.text, found.stop) == (expected.text, expected.stop)
    assert host.target.cache.lengths == device.target.cache.lengths
    if keywords:  # draft bits may differ with the width of a pass, and a guess with them, but hardly ever
        for name in ("steps", "draft_n", "draft_n_accepted"):
            assert abs(getattr(found.timings, name) - getattr(expected.timings, name)) <= n_max + 1
    else:
        assert found.timings.steps == expected.timings.steps == n


@pytest.mark.parametrize("name", each(ONE_PER_ARCHITECTURE))
def test_every_architecture_gives_the_hosts_tokens(name):
    path = ONE_PER_ARCHITECTURE[name].model
    for keywords in ({}, {"model_draft": str(path), "spec_draft_n_max": 3}):
        expected, found = (
            answer(model(where, path=path, ctx_size=256, **keywords), [5, 6, 7], n_predict=8, temp=1.0, seed=2)
            for where in (False, True)
        )
        assert found.tokens == expected.tokens


@pytest.mark.parametrize("recorded", [False, True])
def test_it_runs_ahead_and_drops_what_lies_behind_the_end(pair, recorded):
    keywords = {"model_draft": str(pair[0]), "spec_draft_n_max": 3}
    llm = model(True, recorded, **keywords)
    loop = llm.session.loop
    launches = []
    launch = loop.device_step.launch
    loop.device_step.launch = lambda *args: launches.append(args) or launch(*args)
    try:
        done = answer(llm, [5, 6, 7], n_predict=17, seed=3, temp=1.0)
    finally:
        del loop.device_step.launch
    assert len(done.tokens) == 17
    assert done.timings.steps < len(launches) <= done.timings.steps + 1
    assert done.tokens == answer(model(False), [5, 6, 7], n_predict=17, seed=3, temp=1.0).tokens
    again = llm.complete([5, 6, 7, *done.tokens, 9], n_predict=9, temp=0, stop_at_eog=False)
    assert again.timings.cache_n >= 17
    assert again.tokens == answer(model(False), [5, 6, 7, *done.tokens, 9], n_predict=9, temp=0).tokens


def test_ends_and_stop_texts_end_it_where_the_host_does(pair, monkeypatch):
    llm, host = model(True, model_draft=str(pair[0]), spec_draft_n_max=4), model(False)
    plain = answer(host, [5, 6, 7], n_predict=40, temp=1.0, seed=8)
    for where in (3, 7, 12):
        word = llm.detokenize(plain.tokens[where : where + 1]).decode("utf-8", "replace").strip()
        if word:
            stop = {"n_predict": 40, "temp": 1.0, "seed": 8, "reverse_prompt": word}
            expected, found = (answer(one, [5, 6, 7], **stop) for one in (host, llm))
            assert (found.tokens, found.text, found.stop) == (expected.tokens, expected.text, expected.stop)
        monkeypatch.setattr(llm.tokenizer.special, "eog", frozenset({plain.tokens[where]}))
        found = answer(llm, [5, 6, 7], n_predict=40, temp=1.0, seed=8, stop_at_eog=True)
        assert found.tokens == plain.tokens[: plain.tokens.index(plain.tokens[where]) + 1]


def test_the_end_of_the_context(pair):
    small = {"ctx_size": 300}
    llm, host = model(True, **small, model_draft=str(pair[0])), model(False, **small)
    prompt = list(range(5, 150))
    expected, found = (answer(one, prompt, n_predict=-1, temp=1.0, seed=1) for one in (host, llm))
    assert expected.stop == found.stop == "context"
    assert found.tokens == expected.tokens


def test_a_stop_in_the_middle_of_an_answer_leaves_a_sound_state(pair):
    llm = model(True, model_draft=str(pair[0]), spec_draft_n_max=3)
    llm.target.cache.truncate(0, 0)
    llm.session.slot.tokens = []
    events = llm.stream([5, 6, 7], n_predict=60, temp=0, stop_at_eog=False)
    for _ in range(12):
        next(events)
    events.close()
    tokens = list(llm.session.slot.tokens)
    found = llm.complete([*tokens, 8, 9], n_predict=12, temp=0, stop_at_eog=False)
    assert found.tokens == answer(model(False), [*tokens, 8, 9], n_predict=12, temp=0).tokens


def test_counters_are_kept_on_the_device(pair):
    llm = model(True, model_draft=str(pair[0]), spec_draft_n_max=3)
    done = answer(llm, [5, 6, 7], n_predict=30, temp=0)
    steps, drafted, accepted = llm.session.loop.device_step.counters.tolist()
    assert done.timings.steps <= steps <= done.timings.steps + 2
    assert drafted == 3 * steps
    assert accepted >= done.timings.draft_n_accepted > 0


def test_broken_logits_are_an_error():
    llm = model(True)
    forward = llm.target.model.forward

    def broken(batch, cache, features=()):
        output = forward(batch, cache, features)
        output.logits[:] = np.nan
        return output

    llm.target.model.forward = broken
    try:
        with pytest.raises(llamaspec.LlamaspecError, match="NaN"):
            answer(llm, [5, 6, 7], n_predict=5, temp=0)
    finally:
        del llm.target.model.forward
    assert answer(llm, [5, 6], n_predict=5, temp=0).tokens == answer(model(False), [5, 6], n_predict=5, temp=0).tokens


@pytest.mark.parametrize("on_device", [False, True])
def test_what_a_rejected_token_does_to_the_logits_is_not_seen(pair, on_device):
    llm = model(on_device, model_draft=str(pair[1]), spec_draft_n_max=4)
    prompt = [5, 6, 7]
    plain = answer(model(False), prompt, n_predict=24, temp=1.0, seed=4)
    truth = [*prompt, *plain.tokens]
    forward, spoiled = llm.target.model.forward, []

    def broken(batch, cache, features=()):
        output = forward(batch, cache, features)
        if len(output.logits):
            for row, (token, at) in enumerate(zip(batch.tokens.tolist(), batch.positions.tolist(), strict=True)):
                if at < len(truth) and token != truth[at]:
                    output.logits[row] = np.nan
                    spoiled.append(row)
        return output

    holder = llm.target.model if on_device else llm.target
    holder.forward = broken
    try:
        found = answer(llm, prompt, n_predict=24, temp=1.0, seed=4)
    finally:
        holder.forward = forward
    assert found.tokens == plain.tokens
    assert len(spoiled) > 10


def gains(llm: LLM, ends: frozenset[int], limits: list[int]) -> list[Any]:
    """Step by step below the session: an answer whose limit is raised while it runs, and that no end stops."""
    loop, slot = llm.session.loop, llm.session.slot
    made = []
    with llm.target.model.kernels.computing():
        llm.target.cache.truncate(0, 0)
        slot.tokens = [5, 6, 7]
        list(loop.read(slot))
        slot.start(Chain.build(SamplerParams(temp=0.0)), 1, limits[0], ends)
        loop.begin(slot)
        for limit in limits:
            slot.n_predict = limit
            while slot.n_generated < limit:
                made.append(loop.step([slot])[0])
    return [(gain.tokens, gain.drafted, gain.kept, gain.by) for gain in made]


def test_steps_are_the_hosts_after_limits_and_ends_too(pair):
    keywords = {"model_draft": str(pair[0]), "spec_draft_n_max": 3}
    host, device = model(False, **keywords), model(True, **keywords)
    plain = gains(model(False), frozenset(), [30])
    ends = frozenset(tokens[0] for tokens, *_ in plain[4:20:3])
    for limits in ([30], [2, 7, 9, 30]):
        for stops in (frozenset(), ends):
            found = gains(device, stops, limits)
            assert found == gains(host, stops, limits)
            assert sum(len(tokens) for tokens, *_ in found) == 30


class Counting(Base):
    """Guesses that ids count upwards. Knows no model; what the device did is told to it."""

    name, n_max, k = "counting", 3, 3
    device = HOST
    capacity, cells = 400, 512

    def __init__(self) -> None:
        self.newest, self.guesses = torch.zeros(2, dtype=torch.int64), torch.zeros(3, dtype=torch.int64)
        self.length, self.seed = torch.zeros(1, dtype=torch.int64), torch.zeros((), dtype=torch.int64)
        self.entered: list[int] = []
        self.told: list[tuple[list[int], int, int]] = []

    def on_device(self, rows, context):
        return self

    def enter(self, slot):
        self.entered.append(len(slot.tokens))

    def draft(self, chain, blocks):
        self.guesses.copy_(self.newest[1] + torch.arange(1, 4))

    def drafted_on_device(self, slot, n, kept):
        self.told.append((list(slot.tokens), n, kept))


@pytest.mark.parametrize("recorded", [False, True])
def test_any_drafter_that_offers_it_drafts_on_the_device(recorded):
    llm, drafter = model(True), Counting()
    loop = llm.session.loop
    llm.session.loop = DeviceLoop(llm.target, FirstOf([drafter]), Eager() if recorded else None)
    biases = {"temp": 0, "logit_bias": "101+1000"}
    try:
        found = answer(llm, [5, 6, 7], n_predict=12, temp=0)
        biased = answer(llm, [5, 6, 100], n_predict=9, **biases)
    finally:
        llm.session.loop = loop
    assert found.tokens == answer(model(False), [5, 6, 7], n_predict=12, temp=0).tokens
    assert biased.tokens == answer(model(False), [5, 6, 100], n_predict=9, **biases).tokens
    assert drafter.entered == [3, 3]
    assert drafter.told[-1][0] == [5, 6, 100, *biased.tokens]
    assert sum(kept for _, _, kept in drafter.told) == found.timings.draft_n_accepted + biased.timings.draft_n_accepted
    assert biased.timings.draft_n_accepted > 0
