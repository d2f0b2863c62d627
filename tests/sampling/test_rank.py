"""One order for all: by value, then by id, whatever the width."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.sampling import rank

few = st.sampled_from([-float("inf"), -1.5, -0.0, 0.0, 2.0, 3.25])


def expected(values, ids):
    return [i for _, i in sorted(zip(values, ids, strict=True), key=lambda pair: (-pair[0], pair[1]))]


@given(st.lists(few, min_size=1, max_size=40), st.randoms())
def test_narrow(values, random):
    ids = random.sample(range(1000), len(values))
    best, order = rank.top(np.array([values], np.float32), np.array([ids]), len(values))
    assert order[0].tolist() == expected(values, ids)
    assert best[0].tolist() == sorted(values, reverse=True)
    assert rank.first(np.array([values], np.float32), np.array([ids])).item() == expected(values, ids)[0]
    assert rank.first(np.array([values], np.float32)).item() == expected(values, range(len(values)))[0]


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 12), st.sampled_from([4096, 5000, 6007]), st.floats(0.3, 40.0))
def test_wide_rows_with_many_equals(seed, k, width, spread):
    random = np.random.default_rng(seed)
    values = (random.standard_normal((3, width), np.float32) * np.float32(spread)).round() / 2
    values[1, random.permutation(width)[: width - 7]] = -np.inf
    values[2] = 1.0
    at = rank.columns(values, None, k)
    for row in range(3):
        finite = (values[row] > -np.inf).sum()
        assert at[row, :finite].tolist() == expected(values[row].tolist(), range(width))[:k][:finite]
        assert len(set(at[row].tolist())) == k, "no column twice"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_broken_rows_give_columns_all_the_same(bad):
    values = np.full((2, 4096), bad, np.float32)
    values[1, 5:] = np.arange(4091)
    assert rank.columns(values, None, 9).shape == (2, 9)
    assert all(len(set(row.tolist())) == 9 for row in rank.columns(values, None, 9))


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=60))
def test_keys_order_all_floats(values):
    order = (-1 - rank.keys(np.array([values], np.float32))).argsort(-1)[0].tolist()
    assert order == expected(values, range(len(values)))
