"""Values that depend on other flags, and contradictions."""

import pytest

from llamaspec.errors import UsageError
from llamaspec.options import RUN, Groups, parse


def said(line):
    return parse(RUN, line.split(), {}, ())


def test_defaults_are_todays():
    groups = said("")
    assert groups == Groups()
    assert (groups.draft.n_max, groups.draft.n_min, groups.draft.p_min) == (3, 0, 0.0)
    spec = groups.speculation
    assert (spec.ngram_simple_size_n, spec.ngram_simple_size_m, spec.ngram_simple_min_hits) == (12, 48, 1)
    assert (spec.ngram_mod_n_match, spec.ngram_mod_n_min, spec.ngram_mod_n_max) == (24, 48, 64)
    assert (groups.sampling.temp, groups.sampling.top_k, groups.sampling.min_p) == (0.8, 40, 0.05)


def test_old_spellings_set_their_own_value_only():
    groups = said("--draft-max 8")
    assert (groups.draft.n_max, groups.draft.n_min, groups.draft.p_min) == (8, 0, 0.0)
    for name in ("--draft", "--draft-n", "--draft-max", "--spec-draft-n-max"):
        assert said(f"{name} 5").draft.n_max == 5
    assert said("--draft-p-min 0.5").draft.p_min == 0.5


def test_compat_old_brings_the_old_defaults_where_nothing_else_was_said():
    groups = said("--spec-compat old")
    assert (groups.draft.n_max, groups.draft.n_min, groups.draft.p_min) == (16, 0, 0.75)
    assert said("--spec-compat old --spec-draft-n-max 3").draft.n_max == 3
    assert said("--draft-max 3 --spec-compat old").draft.n_max == 3
    assert said("--spec-compat old --draft-p-min 0").draft.p_min == 0
    assert said("--spec-compat reference").draft.n_max == 3


def test_old_n_gram_sizes_reach_every_drafter_and_the_last_one_wins():
    spec = said("--spec-ngram-size-n 8 --spec-ngram-size-m 9 --spec-ngram-min-hits 2").speculation
    assert (spec.ngram_simple_size_n, spec.ngram_map_k_size_n, spec.ngram_map_k4v_size_n) == (8, 8, 8)
    assert (spec.ngram_simple_size_m, spec.ngram_map_k_size_m, spec.ngram_map_k4v_size_m) == (9, 9, 9)
    assert (spec.ngram_map_k_min_hits, spec.ngram_map_k4v_min_hits, spec.ngram_mod_n_match) == (2, 2, 8)
    assert said("--spec-ngram-size-n 8 --spec-ngram-simple-size-n 5").speculation.ngram_simple_size_n == 5
    assert said("--spec-ngram-simple-size-n 5 --spec-ngram-size-n 8").speculation.ngram_simple_size_n == 8


def test_the_old_way_to_write_ngram_mod():
    line = "--spec-type ngram-mod --spec-ngram-size-n 24 --draft-min 48 --draft-max 64"
    old, new = said(line).speculation, said("--spec-default").speculation
    for name in ("types", "ngram_mod_n_match", "ngram_mod_n_min", "ngram_mod_n_max"):
        assert getattr(old, name) == getattr(new, name)


def test_a_short_old_limit_does_not_silence_ngram_mod():
    assert said("--spec-type ngram-mod --draft-max 16").speculation.ngram_mod_n_min == 16


@pytest.mark.parametrize(
    ("line", "types"),
    [
        ("", ("auto",)),
        ("-md d", ("auto",)),
        ("--spec-type none", ()),
        ("-md d --spec-type none", ()),
        ("-md d --spec-type none,draft-simple", ()),
        ("--spec-type ngram-mod,ngram-simple", ("ngram-simple", "ngram-mod")),
        ("--spec-type ngram-mod --spec-type ngram-simple", ("ngram-simple", "ngram-mod")),
        ("--spec-type ngram-mod --spec-type none", ("ngram-mod",)),
        ("--spec-type ngram-mod --spec-type ngram-mod", ("ngram-mod",)),
        ("--spec-type ngram-mod --spec-default", ("ngram-mod",)),
        ("--spec-default --spec-type ngram-simple", ("ngram-simple", "ngram-mod")),
        ("-md d --spec-type ngram-mod", ("ngram-mod", "auto")),
        ("-md d --spec-type draft-simple,ngram-mod", ("ngram-mod", "draft-simple")),
        ("--spec-default", ("ngram-mod",)),
    ],
)
def test_drafters_in_the_order_in_which_they_are_asked(line, types):
    assert said(line).speculation.types == types


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-md d --spec-draft-n-max 0", "nothing to draft"),
        ("-md d --draft-min 5 --draft-max 4", "no draft would be used"),
        ("--spec-type ngram-mod --spec-ngram-mod-n-min 9 --spec-ngram-mod-n-max 8", "no draft of ngram-mod"),
        ("--spec-type ngram-mod --draft-max 0", "no draft of ngram-mod"),
        ("--spec-type draft-simple", "needs a draft model"),
    ],
)
def test_speculation_that_cannot_work_is_refused(line, words):
    with pytest.raises(UsageError, match=words):
        said(line)


def test_limits_of_drafters_that_were_not_asked_for_do_not_matter():
    assert said("--draft-max 0").draft.n_max == 0
    assert said("-md d --spec-type none --draft-max 0").speculation.types == ()
    assert said("--spec-ngram-mod-n-min 9 --spec-ngram-mod-n-max 8").speculation.types == ("auto",)


def test_of_prompt_and_file_the_later_one_counts():
    assert (said("-p a -f b").chat.prompt, said("-p a -f b").chat.file) == (None, "b")
    assert (said("-f b -p a").chat.prompt, said("-f b -p a").chat.file) == ("a", "")
    assert (said("-p a -f b -p c").chat.prompt, said("-p a -f b -p c").chat.file) == ("c", "")
    assert said("-sys a -sysf b").chat.system_prompt is None
    assert said("-f a -bf b").chat.file == ""
