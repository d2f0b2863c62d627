from llamaspec.cli import report
from llamaspec.engine.events import Stop, Timings
from llamaspec.options import RUN, parse

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
    assert lines("", plain, chat=True) == [report.speeds(fake.TIMINGS)]
    assert lines("--no-show-timings", plain, chat=True) == []


def test_json_has_no_draft_counts_where_nothing_was_drafted():
    found = report.as_json("x", [1], Stop("eos", Timings(predicted_n=1)))
    assert "draft_n" not in found["timings"]
    assert found["drafting"] is None
