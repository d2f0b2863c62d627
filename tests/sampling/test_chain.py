"""The promise of the chain: a row's token depends on its logits, seed, position and state, and on nothing else."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llamaspec.arrays import quiet
from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.sampling.chain import DEFAULT_ORDER, Chain, Rows, SamplerParams
from llamaspec.sampling.noise import noise

from .chains import PROMPT, make_logits, params, rows_at, stateless_params


def part(rows: Rows, at: slice) -> Rows:
    return replace(rows, positions=rows.positions[at])


def scored(chain: Chain, x: np.ndarray, rows: Rows, state: tuple) -> np.ndarray:
    """processed + noise of all tokens, by the definition."""
    processed = chain.process(x, rows, state)
    if chain.greedy:
        return processed
    return processed + noise(rows.seed, rows.positions, np.arange(x.shape[-1])[None], attempt=rows.attempt)


@settings(max_examples=60)
@given(params, st.integers(0, 2**31), st.sampled_from([50, 517, 5000]), st.booleans())
def test_a_row_alone_is_the_row_among_64(given_params, seed, width, tied):
    chain, x, rows = Chain.build(given_params), make_logits(64, width, seed, tied), rows_at(9, 64)
    state = chain.start(PROMPT)
    together, processed = chain.choose(x, rows, state), chain.process(x, rows, state)
    for n in (1, 2, 7, 16):
        at = slice(64 - n, 64)
        assert np.array_equal(chain.choose(x[at], part(rows, at), state), together[at])
        assert np.array_equal(chain.process(x[at], part(rows, at), state), processed[at])


LATE = SamplerParams(
    samplers=("top_k", "penalties", "dry", "top_n_sigma", "typ_p", "xtc", "temperature", "adaptive_p"), top_k=9,
    repeat_penalty=1.3, presence_penalty=0.6, dry_multiplier=0.9, dry_sequence_breaker=(), top_n_sigma=2.5,
    typical_p=0.9, xtc_probability=1.0, dynatemp_range=0.5, adaptive_target=0.3,
)  # fmt: skip


@example(LATE, 5, 50, False)
@example(LATE, 7, 5000, True)
@settings(max_examples=100)
@given(params, st.integers(0, 2**31), st.sampled_from([50, 517, 5000]), st.booleans())
def test_dropping_columns_early_changes_nothing(given_params, seed, width, tied):
    chain, x, rows = Chain.build(given_params), make_logits(3, width, seed, tied), rows_at(0, 3)
    state = chain.start(PROMPT)
    values = x
    with quiet():
        for sampler, own in zip(chain.samplers, state, strict=True):
            values = sampler.apply(values, rows, own)
    assert np.array_equal(chain.process(x, rows, state), values)


@settings(max_examples=100)
@given(params, st.integers(0, 2**31), st.sampled_from([50, 517, 5000]), st.booleans())
def test_choose_is_argmax_of_processed_and_noise(given_params, seed, width, tied):
    chain, x, rows = Chain.build(given_params), make_logits(3, width, seed, tied), rows_at(100, 3, seed)
    state = chain.start(PROMPT)
    scores = scored(chain, x, rows, state)
    best = [row.index(max(row)) for row in scores.tolist()]
    assert chain.choose(x, rows, state).tolist() == best


@settings(max_examples=50)
@given(params, st.integers(0, 2**31), st.integers(1, 9))
def test_order_is_the_rank_of_the_choice(given_params, seed, k):
    chain, x, rows = Chain.build(given_params), make_logits(3, 60, seed), rows_at(100, 3)
    state = chain.start(PROMPT)
    order = chain.order(x, rows, state, k)
    assert order.shape == (3, k)
    assert np.array_equal(order[:, 0], chain.choose(x, rows, state))
    if chain.greedy:
        return
    for row, scores in zip(order.tolist(), scored(chain, x, rows, state).tolist(), strict=True):
        left = [i for i in range(60) if scores[i] > -math.inf]
        best = sorted(left, key=lambda i: (-scores[i], i))[:k]
        assert row == best + [-1] * (k - len(best))


@settings(max_examples=60)
@given(stateless_params, st.integers(0, 2**31), st.booleans())
def test_temperature_zero_keeps_the_highest(given_params, seed, tied):
    """What --temp 0 leaves out of the chain would have changed nothing."""
    fixed = SamplerParams(**{**given_params, "temp": 0.0, "dynatemp_range": 0.0})
    chain, x, rows = Chain.build(fixed), make_logits(3, 300, seed, tied), rows_at(0, 3)
    full = [Chain.build(replace(fixed, samplers=(name,), temp=1.0, logit_bias=())) for name in fixed.samplers]
    values = Chain.build(replace(fixed, samplers=())).process(x, rows)
    for name, single in zip(fixed.samplers, full, strict=True):
        if name == "temperature":
            assert np.array_equal(chain.choose(x, rows), values.argmax(-1))
            return
        values = single.process(values, rows)


def test_temperature_zero_orders_by_logit_for_draft_trees():
    chain = Chain.build(SamplerParams(temp=0))
    x = np.array([[1.0, 5.0, 4.0, 5.0, -2.0]], np.float32)
    assert chain.greedy
    assert chain.order(x, rows_at(0, 1), None, 4).tolist() == [[1, 3, 2, 0]]
    assert np.isinf(chain.process(x, rows_at(0, 1))).tolist() == [[True, False, True, True, True]]


@settings(max_examples=50)
@given(params, st.lists(st.integers(0, 49), min_size=1, max_size=6), st.lists(st.integers(0, 49), max_size=6))
def test_a_rejected_row_leaves_no_trace(given_params, kept, rejected):
    chain, rows = Chain.build(given_params), rows_at(0, 1)

    def walk(tokens, state):
        for at, token in enumerate(tokens):
            x, here = make_logits(1, 50, at), rows_at(at, 1)
            chain.choose(x, here, state)
            state = chain.advance(state, token, x[0], here)
        return state

    plain = walk(kept, chain.start(PROMPT))
    start = chain.start(PROMPT)
    walk(rejected, start)
    again = walk(kept, start)
    assert again == plain
    x = make_logits(1, 50, 99)
    assert np.array_equal(chain.process(x, rows, again), chain.process(x, rows, plain))


def test_default_chain_is_llama_cpps():
    assert [s.name for s in Chain.build(SamplerParams()).samplers] == ["top_k", "top_p", "min_p", "temperature"]
    everything = SamplerParams(
        repeat_penalty=1.1, dry_multiplier=1, dry_sequence_breaker=(), top_n_sigma=1, typical_p=0.9,
        xtc_probability=0.5, logit_bias=((1, 1.0),), samplers=("adaptive_p", *DEFAULT_ORDER), adaptive_target=0.5,
    )  # fmt: skip
    names = [s.name for s in Chain.build(everything).samplers]
    assert names == ["logit_bias", *DEFAULT_ORDER, "adaptive_p"]


def test_neutral_settings_leave_nothing():
    off = SamplerParams(top_k=0, top_p=1.0, min_p=0.0, temp=1.0)
    chain = Chain.build(off)
    assert chain.samplers == ()
    assert chain.stateless
    x = make_logits(2, 70, 1)
    assert np.array_equal(chain.process(x, rows_at(0, 2)), x)


def test_mirostat_replaces_the_chain():
    chain = Chain.build(SamplerParams(mirostat=2, logit_bias=((1, 1.0),)))
    assert [s.name for s in chain.samplers] == ["logit_bias", "temperature", "mirostat"]
    assert not chain.stateless
    assert chain.needs_logits


def test_banned_tokens_never_win():
    chain = Chain.build(SamplerParams(temp=0), banned=[4, 2])
    x = np.array([[0.0, 1.0, 9.0, 3.0, 8.0]], np.float32)
    assert chain.choose(x, rows_at(0, 1)).tolist() == [3]


BIASED = {"temp": 0.0, "logit_bias": ((37, -math.inf),)}


@pytest.mark.parametrize(
    "settings_", [{}, {"temp": 0.0}, BIASED, {"top_k": 0}, {"top_k": 0, "top_p": 1.0, "min_p": 0.0}]
)
@pytest.mark.parametrize("width", [60, 5000])
@pytest.mark.parametrize("bad", [math.nan, -math.nan, math.inf])
def test_broken_logits_are_an_error(settings_, width, bad):
    chain, x = Chain.build(SamplerParams(**settings_)), make_logits(3, width, 0)
    x[1, 37] = bad
    with pytest.raises(LlamaspecError, match="row 1 hold NaN or infinity"):
        chain.choose(x, rows_at(0, 3))
    assert chain.pick(x, rows_at(0, 3)).tolist()[1] < 0
    with pytest.raises(LlamaspecError, match="NaN"):
        chain.order(x, rows_at(0, 3), None, 2)


def test_overflow_in_the_chain_is_an_error():
    with pytest.raises(LlamaspecError, match="infinity"):
        Chain.build(SamplerParams(temp=0.1)).choose(np.array([[1.0, 1e38, 2e38]], np.float32), rows_at(0, 1))


@pytest.mark.parametrize("settings_", [{}, {"temp": 0.0}, {"top_k": 0}])
@pytest.mark.parametrize("width", [60, 5000])
def test_nothing_left_is_an_error(settings_, width):
    chain, x = Chain.build(SamplerParams(**settings_)), make_logits(2, width, 0)
    x[1] = -math.inf
    with pytest.raises(LlamaspecError, match="no token is left"):
        chain.choose(x, rows_at(0, 2))


@pytest.mark.parametrize(
    "wrong",
    [{"repeat_penalty": 0.0}, {"temp": math.nan}, {"mirostat": 3}, {"repeat_last_n": -2},
     {"presence_penalty": math.inf}, {"logit_bias": ((1, math.nan),)},
     {"logit_bias": ((1, math.inf),)}, {"logit_bias": ((-1, 1.0),)},
     {"samplers": ("topk", "tempp")}, {"dry_multiplier": 1.0}],
)  # fmt: skip
def test_wrong_parameters_are_usage_errors(wrong):
    with pytest.raises(UsageError):
        Chain.build(SamplerParams(**wrong))


def test_half_precision_logits():
    chain, x = Chain.build(SamplerParams()), make_logits(2, 60, 0).astype(np.float16)
    assert np.array_equal(chain.choose(x, rows_at(0, 2)), chain.choose(x.astype(np.float32), rows_at(0, 2)))
