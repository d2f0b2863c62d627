"""What drafters learnt is kept, however the command ends."""

import pytest

from llamaspec.cli import demo, run
from llamaspec.cli.runner import INTERRUPTS, Signalled, guarded
from llamaspec.drafting.lookup_cache import LookupCache
from llamaspec.errors import LlamaspecError
from llamaspec.options import DEMO, RUN, parse

from . import fake


class Pupil(fake.Parrot):
    """Counts how often it was closed."""

    closed = 0
    problem: Exception | None = None

    def close(self):
        Pupil.closed += 1
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def pupil(monkeypatch):
    """The class of the engine that answers."""
    monkeypatch.setattr(Pupil, "closed", 0)
    monkeypatch.setattr(Pupil, "problem", None)
    monkeypatch.setattr(run, "load", Pupil)
    return Pupil


def answer(*words):
    return run.run(parse(RUN, ["-m", "x", *words], {}, ()))


def test_after_an_answer(pupil):
    answer("-p", "hi")
    assert pupil.closed == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, Signalled(143), BrokenPipeError, LlamaspecError("x")])
def test_after_whatever_ends_an_answer(pupil, monkeypatch, error):
    def broken(*words):
        raise error

    monkeypatch.setattr(pupil, "_parrot", broken)
    with pytest.raises(BaseException) as raised:
        answer("-p", "hi")
    assert pupil.closed == 1
    assert raised.value is error or type(raised.value) is error


def test_after_a_chat(pupil, monkeypatch):
    monkeypatch.setattr("llamaspec.cli.console.Console._reader", lambda console: lambda: None)
    answer("-cnv", "-p", "hi")
    assert pupil.closed == 1


def test_a_failure_to_save_is_an_error_even_after_ctrl_c(pupil, monkeypatch, capsys):
    monkeypatch.setattr(pupil, "problem", LlamaspecError("cannot write the lookup cache x", "is there room?"))
    assert guarded(lambda: answer("-p", "hi you")) == 1
    streams = capsys.readouterr()
    assert streams.out == "HI YOU\n"
    assert streams.err == "error: cannot write the lookup cache x\nhint: is there room?\n"

    def interrupted(*words):
        monkeypatch.setattr(INTERRUPTS, "pending", True)
        raise KeyboardInterrupt

    monkeypatch.setattr(pupil, "_parrot", interrupted)
    assert guarded(lambda: answer("-p", "hi")) == 1
    assert "cannot write" in capsys.readouterr().err


def test_the_demo_saves_once(tmp_path, capsys):
    path = tmp_path / "learnt.bin"
    line = ["--spec-type", "ngram-cache", "-lcd", str(path), "-n", "12"]
    assert demo.demo(parse(DEMO, line, {}, ())) == 0
    assert len(LookupCache.read(path)) > 0
    assert [file.name for file in tmp_path.iterdir()] == ["learnt.bin"]


def test_made_up_acceptance_is_not_compared(capsys):
    line = ["--spec-type", "ngram-simple", "--spec-synth-len", "2", "-n", "4", "-lv", "0"]
    assert demo.demo(parse(DEMO, line, {}, ())) == 0
    err = capsys.readouterr().err
    assert "the output is meaningless" in err
    assert "identical" not in err
