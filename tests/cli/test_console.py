"""The chat: turns, commands, interrupts."""

import pytest

from llamaspec.cli.console import Console
from llamaspec.cli.slash import Slash
from llamaspec.errors import LlamaspecError
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
    assert err.splitlines() == ["[ Prompt: 8.0 t/s | Generation: 5.0 t/s ] 75% of 8 drafted tokens accepted"] * 2


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
    assert "conversation cleared" in err
    assert "nothing to regenerate" in chat(["/regen"])[3]


@pytest.mark.parametrize("line", ["/foo", "/foo bar", "/s", "/"])
def test_what_is_no_command_is_said_and_not_asked(chat, line):
    code, asked, _, err = chat([line, "a"])
    assert asked == ([["a"]] if line != "/" else [["/"], ["/", "/", "a"]])
    assert ("unknown command" in err) == (line != "/")
    assert code == 0


def test_a_command_may_be_begun_and_have_words_behind_it(chat):
    assert chat(["/exit now", "a"])[1] == []
    assert chat(["/ex", "a"])[1] == []
    assert "/regen" in chat(["/help"])[3]
    assert chat([" /help"])[1] == [[" /help"]]


def test_every_command_has_its_help(chat):
    err = chat(["/help"])[3]
    for name in Slash.names():
        assert f"/{name} " in err
    wanted = "exit regen edit clear read glob system help stats spec set save load copy undo"
    assert set(wanted.split()) == set(Slash.names())


def test_a_refused_regeneration_loses_nothing_and_does_not_end_the_chat():
    """Issue 9 f: an error in /regen ended the chat and had taken the answer away."""
    groups = parse(RUN, ["-m", "x"], {}, ())
    console = Console(fake.load(groups), groups, [])
    console._turn("a")

    def refuse(messages, **words):
        raise LlamaspecError("too long", "-c 999 or more")

    console.llm.chat = refuse
    rest = iter(["/regen"])
    console.line = lambda: next(rest, None)
    assert console.talk(None) == 0
    assert [turn["content"] for turn in console.conversation.messages] == ["a", "A"]
    assert console.attempt == 0


def test_files_are_read_into_the_next_turn(chat, tmp_path):
    (tmp_path / "n.txt").write_text("note")
    (tmp_path / "m.txt").write_text("more")
    name = str(tmp_path / "n.txt")
    _, asked, _, err = chat([f"/read {name}", "a"])
    assert asked == [[f"--- File: {name} ---\nnote\n\na"]]
    assert f"Loaded text from '{name}'" in err
    _, asked, _, err = chat([f"/glob {tmp_path}/*.txt", "a"])
    assert asked[0][0].index("more") < asked[0][0].index("note")
    assert "Loaded text from 2 files" in err
    assert chat([f"/read {name}", "/clear", "a"])[1] == [["a"]]


FAILING = (
    """
/read|/read nope.txt|/glob|/glob *.nope|/load nope|/save|/save /nope/x|/edit|/copy|/set|/set bogus 1|/set temp x
/set ctx_size 9|/spec bogus|/spec none
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("line", FAILING)
def test_a_command_that_fails_is_an_error_and_the_chat_goes_on(chat, line):
    code, asked, _, err = chat([line, "a"])
    assert (code, asked) == (0, [["a"]])
    assert err.startswith("error: ")


def test_a_failed_turn_keeps_its_files_for_the_next(chat, tmp_path):
    (tmp_path / "n.txt").write_text("note")
    _, asked, _, err = chat([f"/read {tmp_path}/n.txt", "please refuse", "b"])
    assert "error: the parrot" in err
    assert asked[-1] == [f"--- File: {tmp_path}/n.txt ---\nnote\n\nb"]


def test_undo_edit_and_system(chat):
    assert chat(["a", "b", "/undo", "c"])[1][-1] == ["a", "A", "c"]
    assert chat(["a", "/edit b c", "d"])[1][1:] == [["b c"], ["b c", "B C", "d"]]
    assert chat(["/system be kind", "a"])[1] == [["be kind", "a"]]
    assert "be kind" in chat(["/system be kind", "/system"])[3]
    assert "nothing to undo" in chat(["/undo"])[3]


def test_an_edit_that_fails_changes_nothing(chat):
    assert chat(["a", "/edit refuse", "b"])[1][-1] == ["a", "A", "b"]


def test_a_conversation_is_saved_and_loaded(chat, tmp_path):
    name = str(tmp_path / "chat.json")
    chat(["a", f"/save {name}"], system=["s"])
    assert chat([f"/load {name}", "b"])[1] == [["s", "a", "A", "b"]]
    for text in ("", "[]", '{"format": "llamaspec-chat-1", "messages": [1]}', "\udcff", "[" * 9999):
        (tmp_path / "chat.json").write_text(text, errors="surrogateescape")
        assert "not a saved conversation" in chat(["a", f"/load {name}", "b"])[3]


def test_set_changes_the_next_answers():
    groups = parse(RUN, ["-m", "x"], {}, ())
    console = Console(fake.load(groups), groups, [])
    rest = iter(["/set temp 0.1", "/set --n-predict 1", "/set top_k=5", "a b", "/set ignore-eos", "c d"])
    console.line = lambda: next(rest, None)
    console.talk(None)
    first, second = (words for _, _, words in console.llm.asked)
    assert first == {"temp": "0.1", "n_predict": "1", "top_k": "5"}
    assert second["ignore_eos"] is True
    assert console.groups.sampling.temp == 0.1


def test_spec_loads_again_and_goes_on():
    groups = parse(RUN, ["-m", "x"], {}, ())
    first = fake.load(groups)
    console = Console(first, groups, [], fake.load)
    rest = iter(["a", "/spec ngram-simple", "b"])
    console.line = lambda: next(rest, None)
    console.talk(None)
    assert console.llm is not first
    assert console.groups.speculation.types == ("ngram-simple",)
    assert [turn["content"] for turn in console.llm.asked[0][1]] == ["a", "A", "b"]


def test_stats_tells_the_answer_from_the_whole(chat):
    err = chat(["a", "/stats"], "--spec-type", "ngram-mod")[3]
    shown = err[err.index("the last answer:") :].splitlines()
    assert shown[1] == "  [ Prompt: 8.0 t/s | Generation: 5.0 t/s ]"
    assert "draft acceptance" in "".join(shown[: shown.index("since the start:")])
    assert "statistics        ngram-mod" in "".join(shown[shown.index("since the start:") :])
    assert "no answer yet" in chat(["/stats"])[3]


def test_one_line_by_default_all_of_them_at_verbosity_3_and_none_at_1(chat):
    words = ("--spec-type", "ngram-mod")
    assert len(chat(["a"], *words)[3].splitlines()) == 1
    assert "statistics" in chat(["a"], *words, "-lv", "3")[3]
    assert chat(["a"], *words, "-lv", "1")[3] == ""
    assert "draft acceptance rate" in chat(["a"], *words, "--spec-stats", "old")[3]


def test_the_rendered_prompt_is_shown_from_verbosity_4(chat):
    assert "prompt: <user>a" in chat(["a"], "-lv", "4")[3]
    assert "prompt: " not in chat(["a"], "-lv", "3")[3]


def test_a_path_is_no_command_and_an_empty_line_is_nothing(chat):
    assert chat(["", "/etc/hosts is", "  "])[1] == [["/etc/hosts is"]]


def test_another_try_has_another_seed_when_one_was_chosen():
    groups = parse(RUN, ["-m", "x", "--seed", "4294967295"], {}, ())
    console = Console(fake.load(groups), groups, [])
    assert console._words() == {}
    console.attempt = 2
    assert console._words() == {"seed": 1}


def test_ctrl_c_asks_first(chat):
    code, _, _, err = chat([KeyboardInterrupt(), KeyboardInterrupt()])
    assert code == 130
    assert err.count("press Ctrl-C again or Ctrl-D to quit") == 1
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
