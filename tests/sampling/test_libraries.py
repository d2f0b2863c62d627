"""numpy's results and torch's: a GPU chooses the tokens that a CPU would, by the same code.

Integers, comparisons and sums in fixed point agree bit for bit. exp and log of float64 are the libraries' own and may
differ in their last bit, so float32 values that come of them may differ by a step, which changes no token.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec import shelf
from llamaspec.errors import LlamaspecError
from llamaspec.sampling import rank
from llamaspec.sampling.chain import Chain, Rows, SamplerParams
from llamaspec.sampling.noise import CHOICE, DRAFTER, XTC, noise, uniform

from .chains import PROMPT, make_logits, params, rows_at

NEUTRAL = {"samplers": (), "dry_sequence_breaker": ()}
ONE_PER_SAMPLER = {
    "adaptive_p": {"samplers": ("adaptive_p",), "adaptive_target": 0.3},
    "dry": {"samplers": ("dry",), "dry_multiplier": 0.9},
    "logit_bias": {"logit_bias": ((3, 2.0), (5, -math.inf), (49, -0.5))},
    "min_p": {"samplers": ("min_p",), "min_p": 0.1, "min_keep": 3},
    "mirostat": {"mirostat": 1, "mirostat_ent": 3.0},
    "penalties": {"samplers": ("penalties",), "repeat_penalty": 1.3, "frequency_penalty": 0.2, "presence_penalty": 0.6},
    "temperature": {"samplers": ("temperature",), "temp": 0.7, "dynatemp_range": 0.5, "dynatemp_exp": 1.3},
    "top_k": {"samplers": ("top_k",), "top_k": 40},
    "top_n_sigma": {"samplers": ("top_n_sigma",), "top_n_sigma": 1.5},
    "top_p": {"samplers": ("top_p",), "top_p": 0.8, "min_keep": 2},
    "typ_p": {"samplers": ("typ_p",), "typical_p": 0.7},
    "xtc": {"samplers": ("xtc",), "xtc_probability": 0.6, "xtc_threshold": 0.02},
}
WIDTHS = [50, 517, 5000, 9000]

texts = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=200)
words = st.integers(0, 2**31)


def there(rows: Rows) -> Rows:
    """The same rows as torch tensors."""
    fields = {"positions": rows.positions, "seed": rows.seed, "attempt": rows.attempt}
    return Rows(**{name: torch.from_numpy(x) if isinstance(x, np.ndarray) else x for name, x in fields.items()})


def same(of_torch: torch.Tensor, of_numpy: np.ndarray) -> None:
    """Bit for bit, the type included."""
    assert of_torch.numpy().dtype == of_numpy.dtype
    assert np.array_equal(of_torch.numpy().view(np.uint8), np.ascontiguousarray(of_numpy).view(np.uint8))


def near(of_torch: torch.Tensor, of_numpy: np.ndarray, steps: int = 1) -> None:
    """The same infinities, and all else within some steps of float32 between values of this size (at least 1)."""
    got = of_torch.numpy()
    assert got.dtype == of_numpy.dtype == np.float32
    assert np.array_equal(np.isinf(got), np.isinf(of_numpy))
    finite = np.isfinite(of_numpy)
    got, expected = got[finite].astype(np.float64), of_numpy[finite]
    assert (abs(got - expected) <= steps * np.spacing(np.maximum(abs(expected), np.float32(1)))).all()


def outcome(ask: Any) -> Any:
    """What a function returns, or says in its error."""
    try:
        return ask().tolist()
    except LlamaspecError as error:
        return error.message


def follow(chain: Chain, x: np.ndarray, rows: Rows) -> None:
    """`pick`, `process`, `order` and `advance` on both, from the prompt on, a row at a time where there is memory."""
    state = chain.start(PROMPT)
    own = state
    tensors, mine = torch.from_numpy(x), there(rows)
    chosen = chain.pick(x, rows, state)
    same(chain.pick(tensors, mine, own), chosen)
    assert outcome(lambda: chain.order(tensors, mine, own, 5)) == outcome(lambda: chain.order(x, rows, state, 5))
    if (chosen >= 0).all():
        near(chain.process(tensors, mine, own), chain.process(x, rows, state), steps=2)  # of a divisor, and a quotient
    else:
        assert outcome(lambda: chain.process(tensors, mine, own)) == outcome(lambda: chain.process(x, rows, state))
    for at in range(len(x)):
        row = replace(rows, positions=rows.positions[at : at + 1])
        (token,) = chain.pick(x[at : at + 1], row, state).tolist()
        assert chain.pick(tensors[at : at + 1], there(row), own).tolist() == [token]
        if token >= 0:
            state = chain.advance(state, token, x[at], row)
            own = chain.advance(own, token, tensors[at], there(row))
            alike(own, state)


def alike(own: Any, state: Any) -> None:
    """States: windows of tokens are the same, numbers as near as exp and log."""
    for mine, theirs in zip(own, state, strict=True):
        if isinstance(theirs, float):
            assert mine == pytest.approx(theirs, rel=1e-9)
        elif hasattr(theirs, "probs"):
            assert (mine.probs, mine.weights) == pytest.approx((theirs.probs, theirs.weights), rel=1e-9)
        else:
            assert mine == theirs


@given(words, st.integers(0, 2**63 - 1), texts, st.sampled_from([CHOICE, XTC, DRAFTER]), st.integers(0, 1000))
def test_noise(seed, position, ids, stream, attempt):
    asked = seed, np.array([position]), np.array([ids]), stream, attempt
    tensors = seed, torch.tensor([position]), torch.tensor([ids]), stream, attempt
    same(uniform(*tensors), uniform(*asked))
    near(noise(*tensors), noise(*asked))


def test_noise_of_rows_with_their_own_seeds():
    at, seeds, tries = np.array([7, 7, 9]), np.array([5, 2**40, -1]), np.array([0, 3, 1])
    ids = np.arange(9000)[None]
    tensors = [torch.from_numpy(x) for x in (seeds, at, ids, tries)]
    same(uniform(*tensors[:3], CHOICE, tensors[3]), uniform(seeds, at, ids, CHOICE, tries))
    near(noise(*tensors[:3], CHOICE, tensors[3]), noise(seeds, at, ids, CHOICE, tries))


@settings(max_examples=60)
@given(words, st.integers(1, 5), st.sampled_from(WIDTHS), st.integers(1, 40), st.booleans(), st.booleans())
def test_rank(seed, n, width, k, tied, named):
    x, random = make_logits(n, width, seed, tied), np.random.default_rng(seed)
    x[random.random(x.shape) < 0.2] = -np.inf
    x = np.where(random.random(x.shape) < 0.1, np.copysign(np.float32(0), x), x)
    ids = random.permutation(2 * width)[:width][None].repeat(n, 0) if named else None
    tensors = torch.from_numpy(x), None if ids is None else torch.from_numpy(ids)
    same(rank.keys(*tensors), rank.keys(x, ids))
    same(rank.first(*tensors), rank.first(x, ids))
    same(rank.columns(*tensors, k), rank.columns(x, ids, k))
    for got, expected in zip(rank.top(*tensors, k), rank.top(x, ids, k), strict=True):
        same(got, expected)


@pytest.mark.parametrize("bad", [math.nan, -math.inf])
@pytest.mark.parametrize("width", WIDTHS)
def test_rank_of_broken_rows(width, bad):
    """What has no order has the same keys and the same first, and columns of the same shape."""
    x = np.full((2, width), bad, np.float32)
    x[1, 3:] = np.arange(width - 3)
    same(rank.keys(torch.from_numpy(x)), rank.keys(x))
    same(rank.first(torch.from_numpy(x)), rank.first(x))
    assert rank.columns(torch.from_numpy(x), None, 9).shape == rank.columns(x, None, 9).shape == (2, 9)


def test_each_sampler_of_the_shelf_is_compared():
    assert set(ONE_PER_SAMPLER) == set(shelf.names("sampling.samplers"))
    for name, own in ONE_PER_SAMPLER.items():
        assert name in [sampler.name for sampler in Chain.build(SamplerParams(**{**NEUTRAL, **own})).samplers]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ONE_PER_SAMPLER)
def test_sampler(name, width):
    chain = Chain.build(SamplerParams(**{**NEUTRAL, **ONE_PER_SAMPLER[name]}))
    for n in range(1, 6):
        x = make_logits(n, width, 100 * width + n, tied=n == 2)
        x[0, ::3] = -np.inf
        follow(chain, x, rows_at(13, n))


@settings(max_examples=120)
@given(params, words, st.integers(1, 5), st.sampled_from(WIDTHS), st.booleans())
def test_chain(given_params, seed, n, width, tied):
    follow(Chain.build(given_params), make_logits(n, width, seed, tied), rows_at(9, n, seed))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("given_params", [{}, {"temp": 0.0}, {"top_k": 0}, {"top_k": 0, "repeat_penalty": 1.2}])
def test_broken_rows(given_params, width, bad):
    chain = Chain.build(SamplerParams(**given_params))
    x = make_logits(4, width, 3)
    x[1] = bad
    x[2, 7] = bad
    follow(chain, x, rows_at(5, 4))


CAPTURED = {
    **{name: {**NEUTRAL, **own} for name, own in ONE_PER_SAMPLER.items() if name not in ("logit_bias", "mirostat")},
    "default": {},
    "greedy": {"temp": 0.0},
    "no noise, but penalties": {"temp": 0.0, "repeat_penalty": 1.3},
    "without top_k": {"top_k": 0},
}


@pytest.mark.parametrize("width", [50, 5000])
@pytest.mark.parametrize("name", CAPTURED)
def test_pick_never_looks_at_its_data(name, width):
    """On a device without data, as in a CUDA graph, any host sync or branch on values fails.

    Mirostat's memory needs the host; biases are moved to the device before a graph is captured.
    """
    chain, meta = Chain.build(SamplerParams(**CAPTURED[name])), torch.device("meta")
    rows = Rows(torch.arange(4, device=meta), torch.arange(4, device=meta))
    chosen = chain.pick(torch.empty(4, width, device=meta), rows, chain.start(PROMPT))
    assert chosen.shape == (4,)
    assert chosen.device == meta


def test_the_number_of_torchs_threads_changes_nothing():
    """Wide enough for torch to share the work."""
    x, rows = torch.from_numpy(make_logits(4, 70_000, 3)), there(rows_at(0, 4))
    for given_params in (SamplerParams(), SamplerParams(top_k=0, typical_p=0.9, dynatemp_range=0.3, top_n_sigma=3.0)):
        chain, results = Chain.build(given_params), []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(chain.process(x, rows))
        torch.set_num_threads(1)
        assert torch.equal(results[0], results[1])
        assert torch.equal(results[0], results[2])


def test_half_precision_logits():
    """numpy has no bfloat16."""
    chain, x = Chain.build(SamplerParams()), torch.from_numpy(make_logits(2, 60, 0)).bfloat16()
    same(chain.choose(x, there(rows_at(0, 2))), chain.choose(x.float().numpy(), rows_at(0, 2)))
