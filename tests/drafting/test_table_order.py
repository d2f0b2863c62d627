"""The order of libstdc++'s tables, against a list that is kept in order step by step."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.table_order import SIZES, table_order


def inserted(keys):
    """One key at a time, by the words of specification 3.6."""
    order, size = [], 13

    def insert(order, key, size):
        for at, other in enumerate(order):
            if other % size == key % size:
                return [*order[:at], key, *order[at:]]
        return [key, *order]

    for key in keys:
        if len(order) + 1 > size:
            size = SIZES[SIZES.index(size) + 1]
            listed, order = order, []
            for other in listed:
                order = insert(order, other, size)
        order = insert(order, key, size)
    return order


@given(st.lists(st.integers(0, 100), unique=True, max_size=70))
def test_the_order_of_small_tables(keys):
    assert table_order(keys, lambda key: key) == inserted(keys)


def test_the_order_through_several_growths():
    keys = [i * 7919 % 5003 for i in range(600)]
    assert table_order(keys, lambda key: key) == inserted(keys)


def test_sizes_are_the_next_primes_after_doubling():
    for before, after in pairwise(SIZES[:12]):
        assert after >= 2 * before
        assert all(after % divisor for divisor in range(2, int(after**0.5) + 1))
