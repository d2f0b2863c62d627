"""The line editor: keys, completion, history, status bar, and a terminal that is left as it was found."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from llamaspec.cli.console import Console
from llamaspec.cli.editor import Editor, Suggestions
from llamaspec.cli.history import LONGEST, KeptHistory, history_file
from llamaspec.options import RUN, parse

from . import fake
from .conftest import ROOT, clean_environment

PROMPT = "\x1b[2C"
"""How the prompt ends: prompt_toolkit moves over its blank."""


class Terminal:
    """The program with a parrot for an engine, on a terminal of its own."""

    def __init__(self, home, *words, **env):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.chdir(ROOT)
            given = {
                **clean_environment(home),
                "TERM": "xterm",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                "XDG_STATE_HOME": str(home),
                **env,
            }
            os.execve(sys.executable, [sys.executable, "-m", "tests.cli.fake", "-m", "x", *words], given)
        self.seen, self.at = "", 0
        self.before = termios.tcgetattr(self.master)

    def wait(self, text, seconds=30):
        end = time.monotonic() + seconds
        while (found := self.seen.find(text, self.at)) < 0:
            assert time.monotonic() < end, self.seen
            if not select.select([self.master], [], [], 1)[0]:
                continue
            self.seen += os.read(self.master, 4096).decode("utf-8", "replace")
        self.at = found + len(text)
        return self

    def send(self, keys):
        self.seen, self.at = "", 0
        os.write(self.master, keys.encode())
        return self

    def end(self):
        try:
            while data := os.read(self.master, 4096):
                self.seen += data.decode("utf-8", "replace")
        except OSError:  # nobody holds the other end any more
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_conversation_at_a_terminal(tmp_path):
    chat = Terminal(tmp_path)
    chat.wait("/help lists").wait(PROMPT)
    chat.send("hello\r").wait("HELLO").wait("5.0 t/s ]").wait(PROMPT)
    chat.send("one\x1b\rtwo\r").wait("ONE\r\nTWO").wait(PROMPT)
    chat.send("three\\\rfour\r").wait("THREE\r\nFOUR").wait(PROMPT)
    chat.send("\x1b[200~five\nsix\x1b[201~\r").wait("FIVE\r\nSIX").wait(PROMPT)
    chat.send("/un\t\r").wait("forgotten: five").wait(PROMPT)
    chat.send("\x1b[A\x1b[A\x03").wait("press Ctrl-C again or Ctrl-D to quit").wait(PROMPT)
    assert chat.send("\x04").end() == 0
    assert history_file({"XDG_STATE_HOME": str(tmp_path)}).read_text().splitlines()[0] == '"hello"'


def test_the_terminal_is_restored_after_an_interrupt(tmp_path):
    chat = Terminal(tmp_path)
    chat.wait(PROMPT).send("sleep\r").wait("sleep")
    time.sleep(0.5)
    chat.send("\x03").wait(PROMPT)
    chat.send("\x03").wait("press Ctrl-C")
    chat.send("\x03")
    after = termios.tcgetattr(chat.master)
    deadline = time.monotonic() + 20
    while after != chat.before and time.monotonic() < deadline:
        time.sleep(0.05)
        after = termios.tcgetattr(chat.master)
    assert after == chat.before
    assert chat.end() == 130


@pytest.mark.parametrize("words", [("--simple-io",), ("--no-history",)])
def test_plain_lines_and_no_history(tmp_path, words):
    chat = Terminal(tmp_path, *words)
    chat.wait("/help lists").send("hello\r").wait("HELLO")
    assert chat.send("/exit\r").end() == 0
    assert ("\x1b[?2004" in chat.seen) == (words != ("--simple-io",))  # the line editor asks for marked pastes
    assert not history_file({"XDG_STATE_HOME": str(tmp_path)}).exists()


def test_no_colours_where_none_are_wanted(tmp_path):
    chat = Terminal(tmp_path, NO_COLOR="1")
    chat.wait(PROMPT).send("hello\r").wait("5.0 t/s ]").wait(PROMPT)
    chat.send("\x04").end()
    assert "\x1b[3" not in chat.seen.replace("\x1b[39", "")


def offered(text):
    return [found.text for found in Suggestions().get_completions(Document(text, len(text)), CompleteEvent())]


def test_completion(tmp_path, monkeypatch):
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    assert offered("/re") == ["/regen", "/read"]
    assert offered("/read no") == ["tes.txt"]
    assert offered("/spec ngram-m") == ["ngram-map-k", "ngram-map-k4v", "ngram-mod"]
    assert offered("/set dry-b") == ["dry-base"]
    assert offered("hello /re") == []


def test_the_bar_shows_as_much_as_fits(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    groups = parse(RUN, ["-m", "a/b.gguf", "--spec-type", "ngram-mod"], {}, ())
    console = Console(fake.load(groups), groups, [])
    console.stop = fake.Stop("eos", fake.TIMINGS)
    editor = Editor(console)
    assert editor.parts() == ["b", "14/512 tokens", "5.0 t/s", "75% accepted", "ngram-mod"]
    for columns in range(1, 80):
        editor.session.output.get_size = lambda columns=columns: os.terminal_size((columns, 24))
        assert len(editor._bar()) <= columns


def test_history_is_shared_bounded_and_survives_damage(tmp_path):
    path = tmp_path / "deep" / "history"
    first, second = KeptHistory(path), KeptHistory(path)
    first.store_string("a\nb")
    second.store_string("ü")
    assert list(first.load_history_strings()) == ["ü", "a\nb"]
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b'"good"\n{"bad": 1}\n\xff\n"cut')
    assert list(first.load_history_strings()) == ["good"]
    path.write_text("".join(f'"{n}"\n' for n in range(LONGEST + 5)))
    first.store_string("new")
    kept = list(first.load_history_strings())
    assert (len(kept), kept[0]) == (LONGEST, "new")
    assert [entry.name for entry in path.parent.iterdir()] == ["history"]


def test_a_history_that_cannot_be_kept_is_no_problem(tmp_path):
    (tmp_path / "file").write_text("")
    history = KeptHistory(tmp_path / "file" / "history")
    history.store_string("a")
    assert list(history.load_history_strings()) == []


def test_a_terminal_that_is_gone_ends_the_chat(monkeypatch):
    console = Console(fake.load(parse(RUN, ["-m", "x", "--no-history"], {}, ())), parse(RUN, ["-m", "x"], {}, ()), [])  # type: ignore[arg-type]
    editor = Editor(console)
    for error in (termios.error(5, "Input/output error"), OSError(5, "Input/output error"), EOFError()):
        monkeypatch.setattr(editor.session, "prompt", lambda error=error, **words: (_ for _ in ()).throw(error))
        assert editor.ask() is None
    monkeypatch.setattr(editor.session, "prompt", lambda **words: (_ for _ in ()).throw(OSError(2, "other")))
    with pytest.raises(OSError, match="other"):
        editor.ask()
