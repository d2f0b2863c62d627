"""Counts of continuations and the file that keeps them."""

import os
import struct
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.lookup_cache import LookupCache, key_of, keys_of, largest_token, run_of
from llamaspec.errors import LlamaspecError
from tests.drafting import vectors

token = st.one_of(st.integers(0, 3), st.integers(0, 2**31 - 1))
texts = st.lists(token, max_size=50)


def shown(cache):
    padded = {run + (-1,) * (4 - len(run)): counts for run, counts in cache.items()}
    return {" ".join(map(str, run)): {str(key): n for key, n in counts.items()} for run, counts in padded.items()}


def counted(text, start=0, low=1, high=4):
    table = defaultdict(Counter)
    for i in range(start, len(text)):
        for size in range(low, high + 1):
            if i >= size:
                table[tuple(text[i - size : i])][text[i]] += 1
    return {run: dict(counts) for run, counts in table.items()}


def learnt(text, start=0, low=1, high=4):
    cache = LookupCache()
    cache.learn(text, start, low, high)
    return cache


@pytest.mark.parametrize("entry", vectors.raw("cache"), ids=lambda entry: str(len(entry["input"])))
def test_files_of_the_reference(entry):
    text, content = entry["input"], bytes.fromhex(entry["file_hex"])
    cache = learnt(text, len(text) - entry["nnew"], entry["ngram_min"], entry["ngram_max"])
    assert shown(cache) == entry["expect"]
    assert cache.to_bytes() == content
    assert shown(LookupCache.from_bytes(content)) == entry["expect"]
    cache.merge(learnt(entry["merge_with"], 0, entry["ngram_min"], entry["ngram_max"]))
    assert shown(cache) == entry["expect_merged"]


def test_there_are_files_of_the_reference():
    assert vectors.raw("cache")


@given(texts, st.integers(0, 9), st.integers(1, 4), st.integers(1, 4))
def test_it_counts(text, start, low, high):
    assert dict(learnt(text, start, low, high).items()) == counted(text, start, low, high)


@given(texts, st.integers(0, 50))
def test_learning_in_parts_is_learning_at_once(text, cut):
    cache = learnt(text[:cut])
    cache.learn(text, min(cut, len(text)))
    assert dict(cache.items()) == counted(text)


@given(texts, texts)
def test_merging_adds(first, second):
    cache = learnt(first)
    cache.merge(learnt(second))
    total = {run: Counter(counts) for run, counts in counted(first).items()}
    for run, counts in counted(second).items():
        total.setdefault(run, Counter()).update(counts)
    assert dict(cache.items()) == {run: dict(counts) for run, counts in total.items()}


def test_merging_inserts_in_table_order():
    other, cache = learnt([1, 2, 1, 3, 1, 5, 1, 4]), LookupCache()
    cache.merge(other)
    assert [key_of(run) for run, _ in cache.items()] == other.in_order()
    assert list(cache.get(key_of([1])).counts) == other.get(key_of([1])).in_order() == [4, 5, 3, 2]


@given(texts)
def test_the_leader_has_the_highest_count(text):
    cache = learnt(text)
    for run, counts in counted(text).items():
        followers = cache.get(key_of(run))
        assert followers.total == sum(counts.values())
        assert counts[followers.leader] == max(counts.values())


@given(st.lists(token, min_size=1, max_size=6))
def test_keys(text):
    assert [run_of(key) for key in keys_of(text)] == [tuple(text[-n:]) for n in range(1, min(len(text), 4) + 1)]
    assert keys_of(text) == [key_of(text[-n:]) for n in range(1, min(len(text), 4) + 1)]


@given(texts)
def test_a_file_comes_back(text):
    cache = learnt(text)
    content = cache.to_bytes()
    again = LookupCache.from_bytes(content)
    assert dict(again.items()) == dict(cache.items())
    assert len(content) == sum(20 + 8 * len(counts) for _, counts in cache.items())


def test_a_file_on_disk(tmp_path):
    path = tmp_path / "cache.bin"
    path.write_bytes(b"old")
    learnt([1, 2, 3, 1, 2, 4]).write(path)
    assert dict(LookupCache.read(path).items()) == counted([1, 2, 3, 1, 2, 4])
    assert os.listdir(tmp_path) == ["cache.bin"]


def read_or_refused(content):
    """The cache, or None; a refusal names the file."""
    try:
        return LookupCache.from_bytes(content, "given.bin")
    except LlamaspecError as error:
        message = error.message
    assert "given.bin" in message
    return None


@given(st.lists(token, min_size=2, max_size=12), st.data())
def test_a_truncated_file_is_refused_or_whole_records(text, data):
    content = learnt(text).to_bytes()
    cut = data.draw(st.integers(0, len(content)))
    cache = read_or_refused(content[:cut])
    assert cache is None or sum(20 + 8 * len(counts) for _, counts in cache.items()) == cut


@given(st.lists(st.sampled_from([-(2**31), -2, -1, 0, 1, 2, 2**31 - 1]), max_size=40), st.binary(max_size=3))
def test_any_bytes_are_refused_or_read(words, tail):
    content = struct.pack(f"<{len(words)}i", *words) + tail
    cache = read_or_refused(content)
    assert cache is None or len(cache.to_bytes()) == len(content)


GOOD = (1, 2, -1, -1, 1, 7, 3)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (GOOD[:4], "cut off"),
        (GOOD[:6], "claims 1 continuations"),
        ((1, 2, -1, -1, 0), "claims 0"),
        ((1, 2, -1, -1, -5), "claims -5"),
        ((1, 2, -1, -1, 2**31 - 1, 7, 3), "claims 2147483647"),
        ((-1, -1, -1, -1, 1, 7, 3), "n-gram"),
        ((1, -1, 2, -1, 1, 7, 3), "n-gram"),
        ((1, -7, -1, -1, 1, 7, 3), "n-gram"),
        ((1, 2, -1, -1, 1, -7, 3), "negative token"),
        ((1, 2, -1, -1, 1, 7, 0), "count below 1"),
        ((1, 2, -1, -1, 2, 7, 3, 7, 1), "twice"),
        (GOOD + GOOD, "repeats"),
    ],
)
def test_broken_records_are_named(tmp_path, words, why):
    path = tmp_path / "broken.bin"
    path.write_bytes(struct.pack(f"<{len(words)}i", *words))
    with pytest.raises(LlamaspecError) as error:
        LookupCache.read(path)
    assert why in error.value.message
    assert str(path) in error.value.message


def test_files_that_are_none(tmp_path):
    (tmp_path / "odd.bin").write_bytes(b"12345")
    for path in (tmp_path / "odd.bin", tmp_path / "absent.bin", tmp_path):
        with pytest.raises(LlamaspecError) as error:
            LookupCache.read(path)
        assert str(path) in error.value.message
    with pytest.raises(LlamaspecError):
        LookupCache().write(tmp_path / "no" / "folder.bin")


def test_the_largest_token():
    assert largest_token([]) == largest_token([LookupCache()]) == -1
    assert largest_token([learnt([1, 9, 2]), learnt([1, 5])]) == 9
