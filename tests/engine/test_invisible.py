"""Speculation is invisible: the same seed gives the same tokens and the same logits bits as plain decoding."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import llamaspec
from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Base
from llamaspec.drafting.first_of import FirstOf
from llamaspec.engine.llm import LLM
from llamaspec.kernels import native
from llamaspec.shelf import names
from tests.engine.conftest import usable
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, each

MODEL_FREE = [name.replace("_", "-") for name in names("drafting.types") if not name.startswith("draft")]
CHAINS: list[dict[str, Any]] = [
    {"temp": 0},
    {"temp": 0.7},
    {"temp": 2.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0},
    {"temp": 1.0, "repeat_penalty": 1.3, "repeat_last_n": 16, "presence_penalty": 0.5},
    {"temp": 0, "repeat_penalty": 1.5},
    {"temp": 1.0, "xtc_probability": 0.5, "xtc_threshold": 0.02},
    {"temp": 0.9, "dry_multiplier": 0.8, "dry_allowed_length": 1},
    {"temp": 1.0, "mirostat": 1},
    {"temp": 1.0, "mirostat": 2, "mirostat_ent": 3.0},
    {"temp": 1.0, "samplers": "top_k;typ_p;temperature", "typical_p": 0.7},
    {"temp": 1.0, "samplers": "temperature;min_p;top_n_sigma", "top_n_sigma": 1.5},
    {"temp": 1.0, "adaptive_target": 0.4, "samplers": "min_p;temperature;adaptive_p"},
    {"temp": 1.0, "dynatemp_range": 0.5, "logit_bias": "7+2.5"},
]


@dataclass
class Recorder:
    """Keeps the logits rows that the answer's tokens were chosen from."""

    rows: list[np.ndarray]

    def attach(self, llm: LLM) -> None:
        """Watch an LLM's loop."""
        loop, settle = llm.session.loop, type(llm.session.loop).settle

        def watched(slot, draft, output, judged):
            gain = settle(loop, slot, draft, output, judged)
            kept = _path(draft, gain)
            self.rows += [output.logits[0], *(output.logits[1 + node] for node in kept)]
            return gain

        loop.settle = watched


def _path(draft: Draft, gain) -> list[int]:
    """The nodes whose tokens were kept, found again from the tokens alone."""
    path, parent = [], -1
    for token in gain.tokens[: gain.kept]:
        parent = next(i for i, t in enumerate(draft.tokens) if t == token and draft.parents[i] == parent)
        path.append(parent)
    return path


@functools.cache
def model(kernels: str = "auto", **keywords: Any) -> LLM:
    """One LLM per set of keywords; its answers start from an empty cache."""
    keywords["kernels"] = kernels
    return llamaspec.load(next(iter(usable().values())), device="cpu", ctx_size=512, **keywords)


def answer(llm, prompt: list[int], **keywords: Any) -> tuple[list[int], list[np.ndarray]]:
    """Tokens and the logits behind them, from an empty cache."""
    llm.target.cache.truncate(0, 0)
    llm.session.slot.tokens = []
    recorder = Recorder([])
    recorder.attach(llm)
    completion = llm.complete(prompt, stop_at_eog=False, **keywords)
    return completion.tokens, recorder.rows[: len(completion.tokens)]


def assert_invisible(llm, prompt: list[int], **keywords: Any) -> None:
    """Tokens and logits bits of llm equal those of plain decoding."""
    plain = model(kernels=llm.groups.placement.kernels)
    expected, expected_rows = answer(plain, prompt, **keywords)
    tokens, rows = answer(llm, prompt, **keywords)
    assert tokens == expected
    for n, (row, plain) in enumerate(zip(rows, expected_rows, strict=True)):
        assert np.array_equal(row.view(np.int32), plain.view(np.int32)), f"logits differ at token {n}"


class Scripted(Base):
    """Guesses trees from a list, right and wrong ones: `truth` is what plain decoding said."""

    name = "scripted"
    n_max = 64

    def __init__(self, truth: list[int], shapes: list[list[tuple[int, bool, int]]]) -> None:
        self.truth, self.shapes, self.calls = truth, shapes, 0

    def propose(self, slots):
        """A tree per call: node = (parent, tell the truth, else this token)."""
        drafts = []
        for slot in slots:
            done = len(slot.tokens) - slot.n_prompt
            shape = self.shapes[self.calls % len(self.shapes)]
            self.calls += 1
            tokens, depths = [], []
            for parent, truthful, wrong in shape:
                depth = 0 if parent < 0 else depths[parent] + 1
                known = self.truth[done + depth : done + depth + 1]
                tokens.append(known[0] if truthful and known else wrong)
                depths.append(depth)
            drafts.append(Draft(tuple(tokens), tuple(parent for parent, _, _ in shape), self.name))
        return drafts


KERNELS = ["reference", "native"] if native.available() else ["reference"]
PROMPTS = st.lists(st.integers(5, 400), min_size=1, max_size=40) | st.sampled_from(
    [[9] * 30, [7, 8] * 20, list(range(5, 260)), [11, 12, 13, 14] * 10]
)


def tree_of(n: int):
    """Trees of n nodes: (parent, tell the truth, else this token)."""
    return st.tuples(*[st.tuples(st.integers(-1, i - 1), st.booleans(), st.integers(5, 400)) for i in range(n)])


@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_trees_of_any_shape(data):
    prompt = data.draw(PROMPTS)
    chain = data.draw(st.sampled_from(CHAINS))
    seed = data.draw(st.integers(0, 2**32 - 1))
    shapes = data.draw(st.lists(st.integers(1, 12).flatmap(tree_of), min_size=1, max_size=4))
    kernels = data.draw(st.sampled_from(KERNELS))
    truth, _ = answer(model(kernels=kernels), prompt, n_predict=24, seed=seed, **chain)
    llm = llamaspec.load(next(iter(usable().values())), device="cpu", ctx_size=512, kernels=kernels)
    llm.drafter = llm.session.loop.drafter = FirstOf([Scripted(truth, [list(shape) for shape in shapes])])
    assert_invisible(llm, prompt, n_predict=24, seed=seed, **chain)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_drafters_without_a_model(data):
    types = data.draw(st.lists(st.sampled_from(MODEL_FREE), min_size=1, max_size=3, unique=True))
    size = data.draw(st.sampled_from([1, 2, 3]))
    llm = model(
        spec_type=",".join(types), spec_ngram_size_n=size, spec_ngram_size_m=data.draw(st.sampled_from([1, 4, 20])),
        spec_ngram_mod_n_min=0, spec_compat=data.draw(st.sampled_from(["own", "reference"])),
        kernels=data.draw(st.sampled_from(KERNELS)),
    )  # fmt: skip
    prompt = data.draw(PROMPTS)
    seed = data.draw(st.integers(0, 2**32 - 1))
    assert_invisible(llm, prompt, n_predict=30, seed=seed, **data.draw(st.sampled_from(CHAINS)))


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_draft_model(pair, data):
    own_twin = data.draw(st.booleans())
    keywords: dict[str, Any] = {
        "model_draft": str(pair[0] if own_twin else pair[1]),
        "spec_draft_n_max": data.draw(st.sampled_from([1, 3, 16, 20])),
        "spec_draft_p_min": data.draw(st.sampled_from([0.0, 0.3])),
        "spec_compat": data.draw(st.sampled_from(["own", "reference", "old"])),
        "kernels": data.draw(st.sampled_from(KERNELS)),
    }
    if data.draw(st.booleans()):
        keywords |= {"spec_type": "ngram-simple", "spec_ngram_size_n": 1}
    assert pair[0] == next(iter(usable().values()))
    prompt = data.draw(PROMPTS)
    seed = data.draw(st.integers(0, 2**32 - 1))
    assert_invisible(model(**keywords), prompt, n_predict=20, seed=seed, **data.draw(st.sampled_from(CHAINS)))


def test_a_draft_that_is_the_target_is_always_right(pair):
    llm = model(model_draft=str(pair[0]), spec_draft_n_max=4)
    for chain in CHAINS:
        llm.target.cache.truncate(0, 0)
        llm.session.slot.tokens = []
        done = llm.complete([5, 6, 7], n_predict=26, seed=3, stop_at_eog=False, **chain)
        assert done.timings.draft_n_accepted >= 0.9 * done.timings.draft_n > 0, chain


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("name", each(ONE_PER_ARCHITECTURE))
def test_drafts_longer_than_a_cache_can_take_back(name, kernels):
    """A recurrent layer keeps the states of few rows, a window the cells of some; the loop offers no longer drafts."""
    keywords = {"device": "cpu", "ctx_size": 512, "kernels": kernels}
    prompt, path = [5, 6, 7, 8] * 40, ONE_PER_ARCHITECTURE[name].model
    expected = llamaspec.load(path, **keywords).complete(prompt, n_predict=30, temp=0, stop_at_eog=False).tokens
    llm = llamaspec.load(path, **keywords)
    truth = Scripted(expected, [[(node - 1, node != 20, 3) for node in range(60)]])
    llm.drafter = llm.session.loop.drafter = FirstOf([truth])
    done = llm.complete(prompt, n_predict=30, temp=0, stop_at_eog=False)
    assert done.tokens == expected
    assert done.timings.steps <= 2 + 30 // min(20, llm.target.cache.draft_rows)


def test_a_second_answer_from_the_cache_equals_one_from_scratch():
    llm = model(spec_type="ngram-simple", spec_ngram_size_n=1)
    first, _ = answer(llm, [5, 6, 7, 5, 6], n_predict=20, temp=1.0, seed=1)
    longer = [5, 6, 7, 5, 6, *first, 9, 9]
    cached = llm.complete(longer, n_predict=10, temp=1.0, seed=2, stop_at_eog=False)
    assert cached.timings.cache_n >= len(longer) - 3
    assert cached.tokens == answer(model(kernels="auto"), longer, n_predict=10, temp=1.0, seed=2)[0]


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_do_not_matter(kernels, threads):
    expected, rows = answer(model(kernels=kernels, threads=1), list(range(5, 60)), n_predict=8, temp=0)
    before = torch.get_num_threads()
    try:
        tokens, again = answer(model(kernels=kernels, threads=threads), list(range(5, 60)), n_predict=8, temp=0)
    finally:
        torch.set_num_threads(before)
    assert tokens == expected
    assert all(np.array_equal(a, b) for a, b in zip(rows, again, strict=True))
