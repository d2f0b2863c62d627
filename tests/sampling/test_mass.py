"""Fixed-point probabilities: near the softmax, and exactly the same for any arrangement of the columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.arrays import quiet
from llamaspec.sampling.mass import mass


def logits(seed: int, width: int, scale: float) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((2, width), np.float32) * np.float32(scale)
    x[:, np.arange(width) % 5 == 1] = -np.inf
    return x


shapes = st.integers(0, 2**31), st.integers(1, 3000), st.sampled_from([0.1, 2.0, 9.0, 300.0])


@given(*shapes)
def test_near_the_softmax(seed, width, scale):
    x = logits(seed, width, scale)
    gaps = x.astype(np.float64) - x.max(-1, keepdims=True)
    surprise = np.log(np.exp(gaps).sum(-1, keepdims=True)) - gaps
    split, exact = mass(x), np.exp(-surprise)
    np.testing.assert_allclose(split.probs, exact, rtol=1e-7, atol=2e-12)
    entropy = np.where(exact > 0, exact * np.where(exact > 0, surprise, 0), 0).sum(-1, keepdims=True)
    with quiet():
        np.testing.assert_allclose(split.entropy, entropy, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(split.surprise, surprise, rtol=1e-7, atol=1e-8)


@given(*shapes)
def test_order_and_ruled_out_columns_do_not_matter(seed, width, scale):
    x = logits(seed, width, scale)
    some = np.random.default_rng(seed).permutation(width)
    some = some[x[0, some] > -np.inf]
    whole, part = mass(x), mass(x[:1, some])
    assert np.array_equal(whole.weights[:1, some], part.weights)
    with quiet():
        assert np.array_equal(whole.entropy[:1], part.entropy)
    assert np.array_equal(whole.surprise[:1, some], part.surprise)
