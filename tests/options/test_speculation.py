"""Drafters that only exist here, and flags that go with drafters."""

import pytest

from llamaspec import shelf
from llamaspec.errors import UsageError
from llamaspec.options import COMMANDS, DEMO, LOOKUP_MERGE, LOOKUP_STATS, RUN, from_keywords, parse
from llamaspec.options.speculation import OWN, TYPES


def said(line, command=RUN):
    return parse(command, line.split(), {}, ())


def test_every_drafter_on_the_shelf_can_be_named_and_is_listed():
    row = RUN.keys["spec_type"]
    for name in shelf.names("drafting.types"):
        typed = name.replace("_", "-")
        assert typed in (*TYPES, *OWN)
        assert row.read(typed) == (typed,)
        assert typed in row.choices
        assert typed in row.help


@pytest.mark.parametrize("name", shelf.names("drafting.types"))
def test_every_knob_has_a_flag_with_the_same_default(name):
    params = shelf.take("drafting.types", name).Params
    for knob in params.names():
        flag, _ = RUN.table[params.flag(knob)]
        assert (flag.default or None) == (getattr(params, knob) or None), knob


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("--spec-suffix-n-max 20", "suffix_n_max", 20),
        ("--spec-suffix-min-match 3", "suffix_min_match", 3),
        ("--spec-suffix-p-min 0.5", "suffix_p_min", 0.5),
        ("--spec-suffix-corpus x.txt", "suffix_corpus", "x.txt"),
        ("--spec-recycling-n-max 31", "recycling_n_max", 31),
        ("--spec-recycling-depth 3", "recycling_depth", 3),
        ("--spec-ngram-cache-n-max 3", "ngram_cache_n_max", 3),
        ("--spec-synth-len 2.5", "synth_len", 2.5),
        ("--spec-synth-rates 0.9,0.5", "synth_rates", (0.9, 0.5)),
        ("", "color", "off"),
        ("--color-spec", "color", "auto"),
        ("--color-spec --spec-strict", "color", "auto"),
        ("--color-spec on", "color", "on"),
    ],
)
def test_values(line, field, value):
    assert getattr(said(line).speculation, field) == value


@pytest.mark.parametrize(
    "line",
    [
        "--spec-suffix-n-max 0",
        "--spec-suffix-min-match 1025",
        "--spec-suffix-p-min 1.01",
        "--spec-suffix-p-min -0.1",
        "--spec-suffix-p-min nan",
        "--spec-recycling-n-max 64",
        "--spec-recycling-depth 0",
        "--spec-ngram-cache-n-max 0",
        "--spec-draft-tree-nodes 64",
        "--draft-p-min 1.5",
        "--spec-draft-p-split 2",
        "--spec-synth-len -1",
        "--spec-synth-len inf",
        "--spec-synth-rates 0.5,,0.1",
        "--spec-synth-rates 2",
        "--color-spec maybe",
        "--spec-synth-len 2 --spec-synth-rates 1",
        "--spec-type draft-tree",
        "--spec-type recycling,suffixes",
    ],
)
def test_values_out_of_range(line):
    with pytest.raises(UsageError):
        said(line)


def test_rates_as_keywords():
    for rates in ([0.9, 0.5, 0], (0.9, 0.5, 0), "0.9,0.5,0"):
        assert from_keywords(spec_synth_rates=rates).speculation.synth_rates == (0.9, 0.5, 0.0)


@pytest.mark.parametrize(
    ("line", "n_min"),
    [
        ("--spec-ngram-mod-n-max 16", 16),
        ("--draft-max 16", 16),
        ("--spec-default --spec-ngram-mod-n-max 16", 16),
        ("--spec-ngram-mod-n-max 16 --spec-ngram-mod-n-min 4", 4),
        ("--spec-ngram-mod-n-max 50", 48),
    ],
)
def test_a_short_limit_of_ngram_mod_works_alone(line, n_min):
    assert said(f"--spec-type ngram-mod {line}").speculation.ngram_mod_n_min == n_min
    groups = parse(RUN, ["--spec-type", "ngram-mod"], {"LLAMA_ARG_DRAFT_MAX": "16"}, ())
    assert groups.speculation.ngram_mod_n_min == 16
    assert from_keywords(spec_type="ngram-mod", spec_ngram_mod_n_max=16).speculation.ngram_mod_n_min == 16


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-md d --draft-min 5 --draft 4", "--draft-min 5 is more than --draft 4"),
        ("-md d --spec-draft-n-min 5 --draft-max 4", "--spec-draft-n-min 5 is more than --draft-max 4"),
        ("-md d --draft-min 5", "--draft-min 5 is more than --spec-draft-n-max 3"),
        ("-md d --draft-n 0", "--draft-n 0 leaves"),
        ("--spec-type ngram-mod --spec-ngram-mod-n-min 50 --draft-max 9", "--spec-ngram-mod-n-min 50 and --draft-max"),
    ],
)
def test_contradictions_are_told_in_the_words_that_were_typed(line, words):
    with pytest.raises(UsageError) as raised:
        said(line)
    assert words in raised.value.message
    assert "raise --d" in raised.value.hint or "raise --spec-d" in raised.value.hint or "none" in raised.value.hint


def test_the_demo_brings_its_draft_model():
    assert said("--spec-type draft-tree", DEMO).speculation.types == ("draft-tree",)
    with pytest.raises(UsageError, match="needs a draft model"):
        said("--spec-type draft-tree -m x", DEMO)


def test_lookup_tools_take_what_they_read():
    assert said("a b c", LOOKUP_MERGE).operands == ("a", "b", "c")
    with pytest.raises(UsageError, match="unexpected word"):
        said("a", LOOKUP_STATS)
    with pytest.raises(UsageError, match="unknown option"):
        said("--temp 1", LOOKUP_MERGE)
    assert said("--draft-max 7 -ngl 9", LOOKUP_STATS).draft.n_max == 7
    for command in COMMANDS:
        if command.name.startswith("lookup-"):
            assert command.only <= {*RUN.keys, *command.keys}
