"""The suffix automaton knows every substring, how often it occurred, and what followed most often."""

from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.types._automaton import COUNTED, Automaton
from tests.drafting.types.texts import texts


def occurrences(text, part):
    return sum(text[i : i + len(part)] == part for i in range(len(text) - len(part) + 1))


def grown(text, parts=()):
    automaton, done = Automaton(), 0
    for part in [*parts, len(text)]:
        automaton.extend(text[done : done + part])
        done += part
    return automaton


@given(texts.map(lambda text: text[:24]), st.lists(st.integers(0, 5), max_size=5))
def test_substrings_and_counts(text, parts):
    automaton = grown(text, parts)
    assert list(automaton.text) == text
    for start in range(len(text)):
        state = 0
        for end in range(start, len(text)):
            state = automaton.after[state][text[end]]
            n = occurrences(text, text[start : end + 1])
            assert min(n, COUNTED) <= automaton.count[state] <= n
    for state in range(1, len(automaton.after)):
        counts = {token: automaton.count[to] for token, to in automaton.after[state].items()}
        if counts and len(text) <= COUNTED:
            assert counts[automaton.heavy[state]] == max(counts.values())


@given(texts)
def test_suffixes_are_those_that_occurred_before(text):
    automaton = grown(text)
    lengths = [automaton.length[state] for state in automaton.suffixes()]
    assert lengths == sorted(lengths, reverse=True)
    repeated = [n for n in range(1, len(text)) if occurrences(text, text[-n:]) > 1]
    assert max(lengths, default=0) == max(repeated, default=0)


@given(texts, texts)
def test_stepping_keeps_the_longest_known_suffix(text, other):
    automaton = grown(text)
    state = matched = 0
    for i, token in enumerate(other):
        state, matched = automaton.step(state, matched, token)
        known = [n for n in range(i + 2) if n == 0 or occurrences(text, other[i + 1 - n : i + 1])]
        assert matched == max(known)


@given(texts)
def test_the_automaton_is_small(text):
    assert len(grown(text).after) <= max(2 * len(text), 2)
