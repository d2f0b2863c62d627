"""Chosen tokens follow the processed probabilities: chi-square over 40,000 positions, p > 0.001 with fixed seeds."""

import math

import numpy as np
import pytest

from llamaspec.sampling.chain import Chain, Rows, SamplerParams

DRAWS = 40_000
LOGITS = np.array([[0.3, -1.0, 2.0, 1.1, 0.0, 1.9, -0.4, 0.7, -2.5, 1.2]], np.float32)
PLAIN = SamplerParams(samplers=("temperature",), temp=1.0)


def test_choices_follow_the_softmax():
    agrees(PLAIN, softmax(LOGITS)[0], seed=1)


def test_temperature():
    agrees(SamplerParams(samplers=("temperature",), temp=0.6), softmax(LOGITS / 0.6)[0], seed=2)


def test_truncation():
    kept = np.where(LOGITS >= 1.1, LOGITS, -np.inf)
    agrees(SamplerParams(samplers=("top_k", "temperature"), top_k=4, temp=1.0), softmax(kept)[0], seed=3)


def test_a_wide_row_with_most_tokens_out_of_reach():
    wide = np.full((1, 5000), -40.0, np.float32)
    wide[0, 1000:1010] = LOGITS[0]
    agrees(PLAIN, softmax(wide)[0], seed=4)


def test_xtc_at_half_probability_is_a_mixture():
    params = SamplerParams(samplers=("xtc",), xtc_probability=0.5, xtc_threshold=0.1)
    without = LOGITS.copy()
    above = softmax(LOGITS) >= 0.1
    least = LOGITS[above].min()
    without[above & (least < LOGITS)] = -np.inf
    agrees(params, (softmax(LOGITS)[0] + softmax(without)[0]) / 2, seed=5)


def test_successive_choices_are_independent():
    """Pairs of neighbours, as one variable of 100 values."""
    chosen = choices(PLAIN, LOGITS, seed=6)
    single = softmax(LOGITS)[0]
    chi_square(chosen[:-1] * 10 + chosen[1:], np.outer(single, single).ravel())


def test_seeds_are_independent():
    single = softmax(LOGITS)[0]
    pairs = choices(PLAIN, LOGITS, seed=7) * 10 + choices(PLAIN, LOGITS, seed=8)
    chi_square(pairs, np.outer(single, single).ravel())


def test_the_test_notices_a_bias():
    with pytest.raises(AssertionError):
        agrees(SamplerParams(samplers=("temperature",), temp=1.05), softmax(LOGITS)[0], seed=9)


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits.astype(np.float64))
    return weights / weights.sum(-1, keepdims=True)


def agrees(params: SamplerParams, probs: np.ndarray, seed: int) -> None:
    width = len(probs)
    x = LOGITS if width == LOGITS.shape[-1] else np.full((1, width), -40.0, np.float32)
    if x is not LOGITS:
        x[0, 1000:1010] = LOGITS[0]
    chi_square(choices(params, x, seed), probs)


def choices(params: SamplerParams, x: np.ndarray, seed: int) -> np.ndarray:
    draws = DRAWS if x.shape[-1] < 100 else DRAWS // 20
    return Chain.build(params).choose(np.repeat(x, draws, 0), Rows(np.arange(draws), seed))


def chi_square(chosen: np.ndarray, probs: np.ndarray) -> None:
    """Cells that expect fewer than five draws are counted together."""
    n = len(chosen)
    counts = np.bincount(chosen, minlength=len(probs))
    rare = probs * n < 5
    got = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(probs[~rare], probs[rare].sum()) * n
    if expected[-1] < 1e-6:
        assert got[-1] == 0
        got, expected = got[:-1], expected[:-1]
    statistic, freedom = float(((got - expected) ** 2 / expected).sum()), len(got) - 1
    # Wilson and Hilferty: the cube root of chi-square / freedom is nearly normal; 3.09 is its 0.999 quantile.
    limit = freedom * (1 - 2 / (9 * freedom) + 3.09 * math.sqrt(2 / (9 * freedom))) ** 3
    assert statistic < limit, (statistic, limit, got.tolist(), expected.tolist())
