"""Chosen tokens follow the processed probabilities: chi-square over 40,000 positions, p > 0.001 with fixed seeds."""

import math

import pytest
import torch
from torch import Tensor

from llamaspec.sampling.chain import Chain, Rows, SamplerParams

DRAWS = 40_000
LOGITS = torch.tensor([[0.3, -1.0, 2.0, 1.1, 0.0, 1.9, -0.4, 0.7, -2.5, 1.2]])
PLAIN = SamplerParams(samplers=("temperature",), temp=1.0)


def test_choices_follow_the_softmax():
    agrees(PLAIN, LOGITS.softmax(-1)[0], seed=1)


def test_temperature():
    agrees(SamplerParams(samplers=("temperature",), temp=0.6), (LOGITS / 0.6).softmax(-1)[0], seed=2)


def test_truncation():
    kept = torch.where(LOGITS >= 1.1, LOGITS, -torch.inf)
    agrees(SamplerParams(samplers=("top_k", "temperature"), top_k=4, temp=1.0), kept.softmax(-1)[0], seed=3)


def test_a_wide_row_with_most_tokens_out_of_reach():
    wide = torch.full((1, 5000), -40.0)
    wide[0, 1000:1010] = LOGITS[0]
    agrees(PLAIN, wide.softmax(-1)[0], seed=4)


def test_xtc_at_half_probability_is_a_mixture():
    params = SamplerParams(samplers=("xtc",), xtc_probability=0.5, xtc_threshold=0.1)
    without = LOGITS.clone()
    above = LOGITS.softmax(-1) >= 0.1
    least = LOGITS[above].min()
    without[above & (least < LOGITS)] = -torch.inf
    agrees(params, (LOGITS.softmax(-1)[0] + without.softmax(-1)[0]) / 2, seed=5)


def test_successive_choices_are_independent():
    """Pairs of neighbours, as one variable of 100 values."""
    chosen = choices(PLAIN, LOGITS, seed=6)
    single = LOGITS.double().softmax(-1)[0]
    chi_square(chosen[:-1] * 10 + chosen[1:], torch.outer(single, single).flatten())


def test_seeds_are_independent():
    single = LOGITS.double().softmax(-1)[0]
    pairs = choices(PLAIN, LOGITS, seed=7) * 10 + choices(PLAIN, LOGITS, seed=8)
    chi_square(pairs, torch.outer(single, single).flatten())


def test_the_test_notices_a_bias():
    with pytest.raises(AssertionError):
        agrees(SamplerParams(samplers=("temperature",), temp=1.05), LOGITS.softmax(-1)[0], seed=9)


def agrees(params: SamplerParams, probs: Tensor, seed: int) -> None:
    width = len(probs)
    x = LOGITS if width == LOGITS.shape[-1] else torch.full((1, width), -40.0)
    if x is not LOGITS:
        x[0, 1000:1010] = LOGITS[0]
    chi_square(choices(params, x, seed), probs.double())


def choices(params: SamplerParams, x: Tensor, seed: int) -> Tensor:
    draws = DRAWS if x.shape[-1] < 100 else DRAWS // 20
    return Chain.build(params).choose(x.expand(draws, -1), Rows(torch.arange(draws), seed))


def chi_square(chosen: Tensor, probs: Tensor) -> None:
    """Cells that expect fewer than five draws are counted together."""
    n = len(chosen)
    counts = torch.bincount(chosen, minlength=len(probs)).double()
    rare = probs * n < 5
    got = torch.cat([counts[~rare], counts[rare].sum().view(1)])
    expected = torch.cat([probs[~rare], probs[rare].sum().view(1)]) * n
    if expected[-1] < 1e-6:
        assert got[-1] == 0
        got, expected = got[:-1], expected[:-1]
    statistic, freedom = float(((got - expected) ** 2 / expected).sum()), len(got) - 1
    # Wilson and Hilferty: the cube root of chi-square / freedom is nearly normal; 3.09 is its 0.999 quantile.
    limit = freedom * (1 - 2 / (9 * freedom) + 3.09 * math.sqrt(2 / (9 * freedom))) ** 3
    assert statistic < limit, (statistic, limit, got.tolist(), expected.tolist())
