"""Acceptance by decree: the bisection's known answers, and the length it promises."""

import numpy as np
import pytest

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.synthetic import Synthetic, checked_rates, rates_for_length
from llamaspec.errors import UsageError
from llamaspec.sampling.chain import Chain
from llamaspec.sampling.params import SamplerParams


@pytest.mark.parametrize(
    ("n_max", "length", "p"), [(3, 2, 0.543689013), (3, 2.5, 0.691413980), (16, 4, 0.751964702), (4, 1, 0), (4, 5, 1)]
)
def test_known_answers(n_max, length, p):
    rates = rates_for_length(length, n_max)
    assert rates == pytest.approx([p**i for i in range(1, n_max + 1)], abs=1e-8)


@pytest.mark.parametrize("length", [-1, 0.5, 4.5, float("nan"), float("inf")])
def test_lengths_out_of_range(length):
    with pytest.raises(UsageError, match="outside 1 to 4"):
        rates_for_length(length, 3)


@pytest.mark.parametrize("rates", [(0.5,), (0.5, 0.6), (1.2, 0.1), (float("nan"), 0.1), (0.2, -0.1)])
def test_senseless_rates(rates):
    with pytest.raises(UsageError, match="synth-rates"):
        checked_rates(rates, 2)


def test_steps_have_the_length_that_was_asked_for():
    judge = Synthetic(rates_for_length(2.5, 4))
    slot = Slot(0, [1, 2, 3], seed=5, chain=Chain.build(SamplerParams(temp=0)))
    slot.state = slot.chain.start(slot.tokens)
    draft, logits = Draft.chain([7, 8, 9, 10]), np.zeros((5, 20), np.float32)
    gained = [len(judge(draft, logits, slot)[0].tokens) for _ in range(4000)]
    assert sum(gained) / len(gained) == pytest.approx(2.5, abs=0.1)
    verdict, _ = judge(draft, logits, slot, ends={7})
    assert verdict.kept == ()
