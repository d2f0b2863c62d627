"""--color-spec: who wrote which token."""

import re

import pytest

from llamaspec.cli import run as module
from llamaspec.cli import terminal
from llamaspec.cli.paint import COLOURS, Paint
from llamaspec.cli.reasoning import Reasoning
from llamaspec.engine.events import Stop, Text
from llamaspec.options import RUN, parse

from . import fake
from .test_terminal import Screen

EVENTS = [
    Text("a"), Text("b", (1,), "suffix", 1), Text("c\n", (2,), "suffix", 2), Text("d", (3,), "draft-tree", 4),
    Text("e\x1b[2J", (4,), "suffix", 1),
]  # fmt: skip
SGR = re.compile("\x1b\\[[0-9;]*m")


@pytest.fixture
def look(monkeypatch):
    """look() -> stdout and stderr that a person looks at, from then on."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def start():
        out, err = Screen(), Screen()
        for name, stream in (("stdout", out), ("stderr", err)):
            monkeypatch.setattr(f"sys.{name}", stream)
        return out, err

    return start


def groups(*words):
    return parse(RUN, ["-m", "x", *words], {}, ())


def paint(*words):
    brush = Paint(groups(*words))
    for event in EVENTS:
        brush.write(event)
    brush.legend()


def test_each_author_has_a_colour_and_the_model_none(look):
    screens = look()
    paint("--color-spec")
    first, second = COLOURS[0][0], COLOURS[1][0]
    assert screens[0].getvalue() == (
        f"a\x1b[{first};4mb\x1b[0m\x1b[{first}mc\x1b[0m\n\x1b[{second};1md\x1b[0m\x1b[{first};4me␛[2J\x1b[0m"
    )


def test_the_legend_names_them(look):
    screens = look()
    paint("--color-spec")
    legend = SGR.sub("", screens[1].getvalue())
    assert "plain = target model, cyan = suffix, yellow = draft-tree; first of a draft is underlined" in legend
    assert legend.count("\n") == 1


def test_nothing_is_coloured_unless_asked(look):
    screens = look()
    paint()
    assert "\x1b" not in screens[0].getvalue() + screens[1].getvalue()
    assert screens[1].getvalue() == ""


def test_no_color_is_obeyed_unless_colours_are_forced(look, monkeypatch):
    screens = look()
    monkeypatch.setenv("NO_COLOR", "1")
    paint("--color-spec")
    assert screens[0].getvalue() == "abc\nde␛[2J"
    assert screens[1].getvalue() == ""
    paint("--color-spec", "on")
    assert "\x1b[36" in screens[0].getvalue()


def test_a_file_gets_no_colours_unless_they_are_forced(capsys):
    paint("--color-spec")
    streams = capsys.readouterr()
    assert (streams.out, streams.err) == ("abc\nde\x1b[2J", "")
    paint("--color-spec", "on")
    streams = capsys.readouterr()
    assert SGR.sub("", streams.out) == "abc\nde␛[2J"
    assert "cyan = suffix" in SGR.sub("", streams.err)


def test_model_text_cannot_draw_colours_or_markup(look):
    screens = look()
    brush = Paint(groups("--color-spec"))
    brush.write(Text("[red]\x1b[31m:smile:", (1,), "suffix", 1))
    assert screens[0].getvalue() == f"\x1b[{COLOURS[0][0]};4m[red]␛[31m:smile:\x1b[0m"


def test_many_authors_differ(look):
    look()
    brush = Paint(groups("--color-spec"))
    styles = {brush.style(f"drafter-{i}", 2) for i in range(2 * len(COLOURS))}
    assert len(styles) == 2 * len(COLOURS)
    assert brush.style("drafter-0", 2) in styles


def test_verbosity_0_has_no_legend(look):
    screens = look()
    paint("--color-spec", "-lv", "0")
    assert screens[1].getvalue() == ""


def test_without_accepted_drafts_the_legend_says_so(look):
    screens = look()
    brush = Paint(groups("--color-spec"))
    brush.write(Text("a"))
    brush.legend()
    assert "no drafted token was accepted" in screens[1].getvalue()


def test_an_answer_in_colours_comes_before_its_statistics(look):
    screens = look()
    told = groups("--color-spec", "--spec-type", "ngram-mod", "-p", "x")
    module.one_answer(told, iter([*EVENTS, Stop("eos", fake.TIMINGS, fake.drafting())]), Reasoning(plain=True))
    lines = SGR.sub("", screens[1].getvalue()).splitlines()
    assert lines[0].startswith("colours: ")
    assert lines[1].startswith("speculation: ")
    assert SGR.sub("", screens[0].getvalue()).endswith("e␛[2J\n")


def test_json_has_no_colours(capsys):
    told = groups("--color-spec", "on", "--json", "-p", "x")
    module.one_answer(told, iter([*EVENTS, Stop("eos", fake.TIMINGS)]), Reasoning(plain=True))
    streams = capsys.readouterr()
    assert "\x1b" not in streams.out
    assert streams.err == ""


def test_a_coloured_line_end_is_known(look):
    screens = look()
    terminal.answer("x\n", "36")
    terminal.end_line()
    terminal.answer("y", "36")
    terminal.end_line()
    assert SGR.sub("", screens[0].getvalue()) == "x\ny\n"
