"""The index of runs finds what a scan finds, whatever the text and however it grows."""

from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.types import _windows
from llamaspec.drafting.types._windows import Windows
from tests.drafting.types.texts import texts


def scan(text, key, stop):
    return [at for at in range(min(stop, len(text)) - 1, -1, -1) if text[at : at + len(key)] == key]


@given(texts, st.integers(1, 5), st.lists(st.integers(1, 9), max_size=9), st.integers(0, 8))
def test_it_finds_what_a_scan_finds(text, n, steps, hidden):
    windows, seen = Windows(n), 0
    for step in [*steps, len(text)]:
        seen = min(seen + step, len(text))
        known = text[:seen]
        stop = max(seen - n - hidden + 1, 0)
        windows.grow(known, stop)
        if seen >= n:
            assert list(windows.starts(known, known[-n:])) == scan(known, known[-n:], stop)
            assert list(windows.starts(known, text[:n])) == scan(known, text[:n], stop)


@given(texts, st.integers(1, 3))
def test_collisions_cost_no_answer(text, n):
    windows = Windows(n)
    windows._top = 0
    old, _windows._BASE = _windows._BASE, 0
    try:
        windows.grow(text, len(text) - n + 1)
        if len(text) >= n:
            assert list(windows.starts(text, text[-n:])) == scan(text, text[-n:], len(text) - n + 1)
    finally:
        _windows._BASE = old


def test_a_shorter_history_is_a_new_one():
    windows = Windows(2)
    windows.grow([1, 2, 3, 1, 2], 4)
    windows.grow([9, 1, 2], 2)
    assert list(windows.starts([9, 1, 2], [1, 2])) == [1]
    assert list(windows.starts([9, 1, 2], [2, 3])) == []
