"""The lookup tools: the reference's numbers, merged files, and what is refused."""

import pytest

from llamaspec.drafting.lookup_cache import LookupCache
from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.measure import lookup
from tests.drafting import vectors

TEXT = [1, 2, 3, 4, 5, 6, 7, 8] * 8


def test_the_references_numbers():
    entries = vectors.raw("lookup_stats")
    assert entries
    for entry in entries:
        trial = lookup.stats(entry["tokens"], entry["n_ctx"], entry["n_draft"], table_ties=True)
        for name in ("n_draft", "n_predict", "n_drafted", "n_accept"):
            assert getattr(trial, name) == entry[name], name


def test_a_static_cache_has_pairs_only():
    counts = dict(lookup.create([1, 2, 3, 1, 2, 4]).items())
    assert counts == {(1, 2): {3: 1, 4: 1}, (2, 3): {1: 1}, (3, 1): {2: 1}}


def test_merged_files_add_up(tmp_path):
    parts = [tmp_path / "a.bin", tmp_path / "b.bin"]
    for part, text in zip(parts, ([1, 2, 3], [1, 2, 3, 4]), strict=True):
        lookup.create(text).write(part)
    named = []
    merged = lookup.merge(parts, named.append)
    assert dict(merged.items()) == {(1, 2): {3: 2}, (2, 3): {4: 1}}
    assert named == [str(part) for part in parts]
    assert dict(lookup.merge(parts[:1]).items()) == {(1, 2): {3: 1}}


def test_files_help(tmp_path):
    lookup.create(TEXT).write(tmp_path / "static.bin")
    learnt = LookupCache()
    learnt.learn(TEXT * 4)
    learnt.write(tmp_path / "dynamic.bin")
    alone = lookup.stats(TEXT, 16, 4)
    with_static = lookup.stats(TEXT, 16, 4, static=tmp_path / "static.bin")
    with_dynamic = lookup.stats(TEXT, 16, 4, dynamic=tmp_path / "dynamic.bin")
    assert alone.n_accept < with_dynamic.n_accept
    assert alone.n_accept < with_static.n_accept
    assert lookup.stats(TEXT, 16, 4, dynamic=tmp_path / "absent.bin").n_accept == alone.n_accept


def test_a_text_that_fills_no_chunk_is_not_tried():
    trial = lookup.stats(TEXT[:10], 10, 4)
    assert (trial.n_predict, trial.n_drafted, trial.rate) == (10, 0, 0.0)
    assert trial.lines()[-1] == "accept       = 0.000%"
    assert lookup.stats([], 10, 4).n_drafted == 0


def test_what_is_refused(tmp_path):
    with pytest.raises(UsageError):
        lookup.merge([])
    for sizes in ((0, 4), (16, 0)):
        with pytest.raises(UsageError):
            lookup.stats(TEXT, *sizes)
    with pytest.raises(LlamaspecError):
        lookup.merge([tmp_path / "absent.bin"])
    with pytest.raises(LlamaspecError):
        lookup.stats(TEXT, 16, 4, static=tmp_path / "absent.bin")
