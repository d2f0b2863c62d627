"""Lookup decoding, against the specification's loops written plainly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.lookup import Lookup
from llamaspec.drafting.lookup_cache import LookupCache, key_of
from tests.drafting.types.texts import texts

LAX = {1: (2, 66), 2: (2, 50), 3: (1, 50), 4: (1, 50)}
STRICT = {1: (4, 75), 2: (3, 66), 3: (2, 66), 4: (2, 66)}


def learnt(text, low=1, high=4):
    cache = LookupCache()
    cache.learn(text, 0, low, high)
    return cache


def primary(cache, text, table, static):
    for size in (4, 3, 2, 1):
        entry = cache.get(key_of(text[-size:])) if len(text) >= size else None
        if entry is None:
            continue
        known = static.counts if static else {}
        weights = {token: n * 100 * known[token] if token in known else n for token, n in entry.counts.items()}
        best = max(entry.in_order(), key=weights.__getitem__)
        samples, percent = table[size]
        if entry.total >= samples and 100 * entry.counts[best] >= percent * entry.total:
            return best
    return None


def plain(context, dynamic, static, text, n_max):
    text, out = list(text), []
    while len(text) >= 2 and len(out) < n_max:
        found = static.get(key_of(text[-2:]))
        token = primary(context, text, LAX, found)
        token = primary(dynamic, text, STRICT, found) if token is None else token
        if token is None and found is not None:
            best = max(found.in_order(), key=lambda token: found.counts[token])
            token = best if found.total >= 2 and 2 * found.counts[best] >= found.total else None
        if token is None:
            break
        text.append(token)
        out.append(token)
    return out


@given(texts, texts, texts, st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_the_reference_mode_is_the_specification(text, earlier, corpus, tail):
    context, dynamic, static = learnt(text), learnt(earlier), learnt(corpus, 2, 2)
    draft = Lookup(dynamic, static, table_ties=True).draft(context, tail, 8)
    assert draft == plain(context, dynamic, static, tail, 8)


@given(texts, texts, texts, st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 5))
def test_our_own_ties_never_change_whether_there_is_a_favourite(text, earlier, corpus, tail, n_max):
    context, dynamic, static = learnt(text), learnt(earlier), learnt(corpus, 2, 2)
    draft = Lookup(dynamic, static).draft(context, tail, n_max)
    assert len(draft) <= n_max
    assert set(draft) <= {*text, *earlier, *corpus}


def test_the_longest_run_wins_and_static_counts_weigh():
    context, none = learnt([1, 2, 3, 9, 2, 4, 9, 2, 4]), LookupCache()
    assert Lookup(none, none).draft(context, [1, 2], 1) == [4]
    assert Lookup(none, none).draft(context, [1, 2, 3], 1) == [9]
    tied = learnt([1, 2, 3, 1, 2, 4])
    assert Lookup(none, learnt([1, 2, 3])).draft(tied, [9, 1, 2], 1) == [3]
    assert Lookup(none, learnt([1, 2, 4])).draft(tied, [9, 1, 2], 1) == [4]


def test_among_equals_the_one_met_last_wins():
    tied, none = learnt([1, 2, 3, 1, 2, 4]), LookupCache()
    assert Lookup(none, none).draft(tied, [9, 1, 2], 1) == [4]


def counts(run, *pairs):
    """A cache with one run: (token, count) in the order first seen."""
    cache = LookupCache()
    for token, n in pairs:
        for _ in range(n):
            cache.learn([*run, token], len(run), len(run), len(run))
    return cache


@pytest.mark.parametrize(("rules", "size"), [(rules, size) for rules in (LAX, STRICT) for size in (1, 2, 3, 4)])
def test_the_thresholds(rules, size):
    samples, percent = rules[size]
    text, none = [9, 8, 7, 6, 5][-max(size, 2) :], LookupCache()

    def favourite(*pairs):
        cache = counts(text[-size:], *pairs)
        lookup = Lookup(none if rules is LAX else cache, none)
        return lookup.draft(cache if rules is LAX else none, text, 1)

    assert favourite((1, samples)) == [1]
    assert favourite((1, samples - 1)) == []
    assert favourite((1, percent), (2, 100 - percent)) in ([1], [2])
    assert favourite((1, percent - 1), (2, (101 - percent) // 2), (3, (102 - percent) // 2)) == []


@pytest.mark.parametrize(("first", "second", "draft"), [((3, 1), (4, 100), [4]), ((4, 100), (3, 1), [])])
def test_a_static_count_can_tie_with_a_hundred_occurrences(first, second, draft):
    """Token 3 weighs 1 x 100, token 4 weighs 100: the table lists the newer one first, and 3 is too rare to pass."""
    lookup = Lookup(LookupCache(), counts([1, 2], (3, 1)), table_ties=True)
    assert lookup.draft(counts([1, 2], first, second), [1, 2], 1) == draft
