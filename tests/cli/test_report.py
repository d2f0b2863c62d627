import json
from dataclasses import replace

import pytest

from llamaspec.cli import report
from llamaspec.drafting.stats import Report, Request
from llamaspec.engine.events import Stop, Timings
from llamaspec.options import RUN, from_keywords, parse
from tests.drafting.fakes import measured

from . import fake


def lines(line, stop=None, chat=False):
    return report.lines(stop or Stop("eos", fake.TIMINGS, fake.drafting()), parse(RUN, line.split(), {}, ()), chat)


def test_the_bracketed_line_is_llama_clis():
    assert report.speeds(fake.TIMINGS) == "[ Prompt: 8.0 t/s | Generation: 5.0 t/s ]"
    assert report.speeds(Timings()) == "[ Prompt: 0.0 t/s | Generation: 0.0 t/s ]"


def test_per_position_rates_need_verbosity_4():
    assert not [line for line in lines("") if "acc per pos" in line]
    assert [line for line in lines("-lv 4") if line.startswith("     acc per pos = (1.000, 1.000, 0.500, 0.500")]


def test_timings_are_on_in_chat():
    plain = Stop("eos", fake.TIMINGS)
    assert lines("", plain) == []
    assert lines("", plain, chat=True) == [f"{report.speeds(fake.TIMINGS)} 75% of 8 drafted tokens accepted"]
    assert lines("--no-show-timings", plain, chat=True) == []


def test_json_has_no_draft_counts_where_nothing_was_drafted():
    found = report.as_json("x", [1], Stop("eos", Timings(predicted_n=1)))
    assert "draft_n" not in found["timings"]
    assert found["drafting"] is None


MEASURED = replace(fake.TIMINGS, plain_s=0.4)


def test_the_speed_up_stands_behind_the_statistics():
    found = lines("", Stop("eos", MEASURED, fake.drafting()))
    assert found[-1] == "speed-up = 2.00 (5.0 t/s, plain 2.5 t/s)"
    assert found[-2] == "drafting took 0 ms of 2.00 s (0%); 2.50 tokens per pass of the target"
    assert found[-3].startswith("statistics ")
    assert "drafting took" not in "".join(
        report.lines(Stop("eos", MEASURED, fake.drafting()), parse(RUN, ["-lv", "3"], {}, ()), True)
    )
    assert not [line for line in lines("") if line.startswith("speed-up")]


def test_json_has_the_speed_up():
    found = json.loads(lines("--spec-stats json", Stop("eos", MEASURED, fake.drafting()))[0])
    assert (found["plain_per_second"], found["speed_up"]) == (2.5, 2.0)
    assert report.as_json("x", [], Stop("eos", MEASURED, fake.drafting()))["timings"]["speed_up"] == 2.0
    assert "speed_up" not in json.loads(lines("--spec-stats json")[0])
    assert "speed_up" not in report.as_json("x", [], Stop("eos", fake.TIMINGS))["timings"]


def test_speeds_are_part_of_verbosity_3():
    assert lines("-lv 2", Stop("eos", MEASURED)) == []
    assert lines("-lv 3", Stop("eos", MEASURED)) == [report.speeds(MEASURED)]
    assert lines("-lv 3 --no-show-timings", Stop("eos", MEASURED)) == []


def test_older_statistics_are_the_older_lines_and_nothing_else():
    drafting = advised("draft-simple", 90)
    found = lines("--spec-stats old -lv 4", Stop("eos", MEASURED, drafting))
    assert found == drafting.lines("old")
    assert found[0].startswith("draft acceptance rate = ")
    assert found[1].startswith("statistics draft: #calls(b,g,a) = ")
    assert len(found) == 2


def advised(name, accepted):
    """Numbers that call for advice."""
    return Report.of(Request(100, accepted, 20, [20]), [measured(name, 100, accepted)])


@pytest.mark.parametrize(
    ("line", "name", "flag"),
    [
        ("", "draft-simple", "raise --spec-draft-n-max"),
        ("--spec-draft-n-max 4", "draft-simple", "raise --spec-draft-n-max"),
        ("--draft-max 4", "draft-simple", "raise --draft-max"),
        ("--draft 4", "draft-simple", "raise --draft"),
        ("--draft-n 4", "draft-tree", "raise --draft-n"),
        ("--draft-max 4 --spec-draft-n-max 5", "draft-simple", "raise --spec-draft-n-max"),
        ("--spec-compat old", "draft-simple", "raise --draft-max"),
        ("--draft-max 9", "ngram-mod", "raise --draft-max"),
        ("", "ngram-mod", "raise --spec-ngram-mod-n-max"),
        ("--spec-ngram-size-m 9", "ngram-simple", "raise --spec-ngram-size-m"),
        ("--spec-ngram-size-m 9", "ngram-mod", "raise --spec-ngram-mod-n-max"),
    ],
)
def test_advice_names_the_flag_that_was_typed(line, name, flag):
    assert lines(line, Stop("eos", fake.TIMINGS, advised(name, 90)))[-1].endswith(flag)


@pytest.mark.parametrize(
    ("line", "flags"),
    [
        ("", "lower --spec-draft-n-max, or raise --spec-draft-p-min, or use a draft closer to the model"),
        ("--draft-p-min 0.1", "lower --spec-draft-n-max, or raise --draft-p-min, or use a draft closer to the model"),
        ("--draft-max 4", "lower --draft-max, or raise --draft-p-min, or use a draft closer to the model"),
    ],
)
def test_advice_to_guess_less(line, flags):
    assert lines(line, Stop("eos", fake.TIMINGS, advised("draft-simple", 10)))[-1].endswith(flags)


def test_keywords_are_spelled_as_flags():
    for keyword, flag in (("draft_max", "--draft-max"), ("spec_draft_n_max", "--spec-draft-n-max")):
        assert report.spelling(from_keywords(**{keyword: 5}))("--spec-draft-n-max") == flag
