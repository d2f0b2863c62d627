"""Merging with a heap against merging by looking at every pair every time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llamaspec.text.merge import Cost, merge


def by_search(symbols: str, cost: Cost) -> list[str]:
    texts = list(symbols)
    while True:
        priced = [(cost(a, b), at) for at, (a, b) in enumerate(pairwise(texts))]
        best = min(((price, at) for price, at in priced if price is not None), default=None)
        if best is None:
            return texts
        at = best[1]
        texts[at : at + 2] = [texts[at] + texts[at + 1]]


@given(st.text("abc", max_size=24), st.dictionaries(st.text("abc", min_size=2, max_size=6), st.integers(0, 4)))
def test_cheapest_pair_first_leftmost_of_equals(text: str, prices: dict[str, int]) -> None:
    def cost(left: str, right: str) -> float | None:
        return prices.get(left + right)

    assert merge(text, cost) == by_search(text, cost)


def test_nothing_to_merge() -> None:
    assert merge("", lambda _a, _b: 0) == []
    assert merge("a", lambda _a, _b: 0) == ["a"]
    assert merge("ab", lambda _a, _b: None) == ["a", "b"]
