import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.cli import terminal
from llamaspec.errors import LlamaspecError


class Screen(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


@given(st.text())
def test_nothing_that_is_shown_steers_a_terminal(text):
    shown = terminal.visible(text)
    assert not [char for char in shown if (ord(char) < 32 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0]


@given(st.text(st.characters(min_codepoint=0xA0)))
def test_other_text_stays(text):
    assert terminal.visible(f"{text}\n\t a") == f"{text}\n\t a"


def test_answers_are_raw_in_files_and_visible_on_screens(monkeypatch):
    screen, file = Screen(), io.StringIO()
    for stream in (screen, file):
        monkeypatch.setattr("sys.stdout", stream)
        terminal.answer("a\x1b[2J[red]:smile:\x9b\n")
    assert screen.getvalue() == "a␛[2J[red]:smile:\\x9b\n"
    assert file.getvalue() == "a\x1b[2J[red]:smile:\x9b\n"


def test_a_missing_newline_is_added_once(monkeypatch):
    monkeypatch.setattr("sys.stdout", file := io.StringIO())
    terminal.end_line()
    terminal.answer("a")
    terminal.end_line()
    terminal.end_line()
    assert file.getvalue() == "a\n"


def test_an_answer_that_cannot_be_delivered_is_an_error(monkeypatch):
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    with pytest.raises(LlamaspecError, match="No space left"):
        terminal.answer("a")
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(LlamaspecError, match="closed"):
        terminal.answer("a")


@pytest.mark.parametrize(
    ("wanted", "env", "stream", "expected"),
    [
        ("auto", {}, Screen(), True),
        ("auto", {}, io.StringIO(), False),
        ("auto", {"NO_COLOR": "1"}, Screen(), False),
        ("auto", {"NO_COLOR": ""}, Screen(), True),
        ("auto", {"TERM": "dumb"}, Screen(), False),
        ("on", {"NO_COLOR": "1"}, io.StringIO(), True),
        ("off", {}, Screen(), False),
        ("auto", {}, None, False),
    ],
)
def test_colours(monkeypatch, wanted, env, stream, expected):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert terminal.colours(wanted, stream) is expected


def test_problems_are_one_line_each_and_in_colour_on_screens(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for stream, mark in ((io.StringIO(), "error:"), (Screen(), "\x1b[1;31merror:\x1b[0m")):
        monkeypatch.setattr("sys.stderr", stream)
        terminal.problem("a\nb\x07\udcff", "c")
        assert stream.getvalue() == f"{mark} a b␇\\udcff\nhint: c\n"


def wide(monkeypatch, columns):
    class Narrow(Screen):
        def fileno(self) -> int:
            return 2

    screen = Narrow()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("os.get_terminal_size", lambda number: os.terminal_size((columns, 24)))
    return screen


def test_messages_break_between_words_on_a_narrow_terminal(monkeypatch):
    screen = wide(monkeypatch, 30)
    terminal.say("warning: the context is full, the answer ends here")
    terminal.problem("no such file or folder as this one", "look for it in --other-folders")
    terminal.say("  indented lines stay where they begin")
    lines = screen.getvalue().splitlines()
    assert [line for line in lines if len(line) > 30 + len("\x1b[1;31m\x1b[0m")] == []
    assert lines[:2] == ["warning: the context is full,", "the answer ends here"]
    assert lines[-2:] == ["  indented lines stay where", "  they begin"]
    assert "--other-folders" in screen.getvalue()


def test_pieces_of_a_line_break_between_words_too(monkeypatch):
    screen = wide(monkeypatch, 20)
    terminal.say_parts([("colours: ", ""), ("cyan = ngram-simple", "36"), (", underlined", "")])
    plain = screen.getvalue().replace("\x1b[36m", "").replace("\x1b[0m", "")
    assert [line.rstrip() for line in plain.splitlines()] == ["colours: cyan =", "ngram-simple,", "underlined"]


def test_messages_stay_whole_in_files_and_on_wide_terminals(monkeypatch):
    text = "note: a line of more than a few words"
    monkeypatch.setattr("sys.stderr", file := io.StringIO())
    terminal.say(text)
    screen = wide(monkeypatch, 100)
    terminal.say(text)
    assert file.getvalue() == screen.getvalue() == f"{text}\n"
