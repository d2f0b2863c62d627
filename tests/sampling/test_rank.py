"""One order for all: by value, then by id, whatever the width."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.sampling import rank

few = st.sampled_from([-float("inf"), -1.5, -0.0, 0.0, 2.0, 3.25])


def expected(values, ids):
    return [i for _, i in sorted(zip(values, ids, strict=True), key=lambda pair: (-pair[0], pair[1]))]


@given(st.lists(few, min_size=1, max_size=40), st.randoms())
def test_narrow(values, random):
    ids = random.sample(range(1000), len(values))
    best, order = rank.top(torch.tensor([values]), torch.tensor([ids]), len(values))
    assert order[0].tolist() == expected(values, ids)
    assert best[0].tolist() == sorted(values, reverse=True)
    assert rank.first(torch.tensor([values]), torch.tensor([ids])).item() == expected(values, ids)[0]
    assert rank.first(torch.tensor([values])).item() == expected(values, range(len(values)))[0]


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 12), st.sampled_from([4096, 5000, 6007]), st.floats(0.3, 40.0))
def test_wide_rows_with_many_equals(seed, k, width, spread):
    generator = torch.Generator().manual_seed(seed)
    values = (torch.randn(3, width, generator=generator) * spread).round() / 2
    values[1, torch.randperm(width, generator=generator)[: width - 7]] = -torch.inf
    values[2] = 1.0
    at = rank.columns(values, None, k)
    for row in range(3):
        finite = (values[row] > -torch.inf).sum()
        assert at[row, :finite].tolist() == expected(values[row].tolist(), range(width))[:k][:finite]
        assert at[row].unique().numel() == k, "no column twice"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_broken_rows_give_columns_all_the_same(bad):
    values = torch.full((2, 4096), bad)
    values[1, 5:] = torch.arange(4091)
    assert rank.columns(values, None, 9).shape == (2, 9)
    assert all(row.unique().numel() == 9 for row in rank.columns(values, None, 9))


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=2, max_size=60))
def test_keys_order_all_floats(values):
    x = torch.tensor([values])
    order = rank.keys(x).argsort(-1, descending=True)[0].tolist()
    assert order == expected(values, range(len(values)))
