"""The chat: turns, commands, interrupts."""

import pytest

from llamaspec.cli.console import Console
from llamaspec.options import RUN, parse

from . import fake


@pytest.fixture
def chat(capsys):
    """chat(lines, *words) -> exit code, what was asked, stdout, stderr. An exception among the lines is raised."""

    def talk(lines, *words, first=None, system=()):
        groups = parse(RUN, ["-m", "x", *words], {}, ())
        parrot = fake.load(groups)
        console = Console(parrot, groups, [{"role": "system", "content": text} for text in system])
        rest = iter(lines)

        def line():
            found = next(rest, None)
            if isinstance(found, BaseException):
                raise found
            return found

        console.line = line
        code = console.talk(first)
        streams = capsys.readouterr()
        return code, [[turn["content"] for turn in turns] for _, turns, _ in parrot.asked], streams.out, streams.err

    return talk


def test_turns_add_up(chat):
    code, asked, out, err = chat(["a", "b"], system=["s"])
    assert (code, asked, out) == (0, [["s", "a"], ["s", "a", "A", "b"]], "A\nB\n")
    assert err.count("[ Prompt: 8.0 t/s | Generation: 5.0 t/s ]") == 2


def test_timings_can_be_switched_off(chat):
    assert chat(["a"], "--no-show-timings")[3] == ""


def test_the_first_turn_may_come_from_the_command_line(chat):
    _, asked, out, err = chat(["b"], first="a")
    assert (asked, out) == ([["a"], ["a", "A", "b"]], "A\nB\n")
    assert err.startswith("> a\n")


def test_a_single_turn(chat):
    assert chat(["a", "b"], "-st")[1] == [["a"]]


def test_commands(chat):
    _, asked, out, err = chat(["a", "/regen", "/clear", "b", "/exit", "c"])
    assert asked == [["a"], ["a"], ["b"]]
    assert out == "A\nA\nB\n"
    assert "forgotten" in err
    assert "no answer to give again" in chat(["/regen"])[3]
    assert "no command '/foo'" in chat(["/foo"])[3]


def test_a_path_is_no_command_and_an_empty_line_is_nothing(chat):
    assert chat(["", "/etc/hosts is", "  "])[1] == [["/etc/hosts is"]]


def test_another_try_has_another_seed_when_one_was_chosen():
    groups = parse(RUN, ["-m", "x", "--seed", "4294967295"], {}, ())
    console = Console(fake.load(groups), groups, [])
    assert console._again() == {}
    console.attempt = 2
    assert console._again() == {"seed": 1}


def test_ctrl_c_asks_first(chat):
    code, _, _, err = chat([KeyboardInterrupt(), KeyboardInterrupt()])
    assert code == 130
    assert err.count("Ctrl-C again leaves") == 1
    assert chat([KeyboardInterrupt(), "a", KeyboardInterrupt(), None])[0] == 0


def test_ctrl_c_stops_the_answer_and_keeps_its_part(parrot):
    done = parrot("-m", "x", "-cnv", input="one ^C two\nnext\n")
    assert (done.returncode, done.stdout) == (0, "ONE\nNEXT\n")


def test_a_refused_turn_is_forgotten(chat):
    code, asked, _, err = chat(["a", "refuse", "b"])
    assert (code, asked[-1]) == (0, ["a", "A", "b"])
    assert "error: the parrot" in err


def test_a_model_without_a_template_is_said(chat):
    assert "ChatML is used" in chat([], "-m", "plain")[3]
