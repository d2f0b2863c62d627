"""What is written beside an answer: transcript, prompts, logs, counts."""

import json
import re

import pytest

from llamaspec.cli.console import Console
from llamaspec.cli.reasoning import Reasoning
from llamaspec.cli.record import transcript
from llamaspec.options import RUN, parse

from . import fake


def test_a_transcript_of_one_answer_and_of_a_chat(parrot, tmp_path):
    path = tmp_path / "out.txt"
    assert parrot("-m", "x", "-p", "hi you", "-o", str(path)).returncode == 0
    assert path.read_text() == "User:\nhi you\n\nAssistant:\nHI YOU\n"
    parrot("-m", "x", "-cnv", "-sys", "s", "--output-file", str(path), input="a\nb\n")
    assert path.read_text() == "System:\ns\n\nUser:\na\n\nAssistant:\nA\n\nUser:\nb\n\nAssistant:\nB\n"
    turn = {"role": "assistant", "content": "yes", "reasoning_content": "hm"}
    assert transcript([turn]) == "Assistant:\n[Start thinking]\nhm\n[End thinking]\n\nyes\n"


def test_a_transcript_that_cannot_be_written_is_an_error(parrot):
    done = parrot("-m", "x", "-p", "hi", "-o", "/nope/out.txt")
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot write '/nope/out.txt'")


def test_prompts_are_saved_and_shown(parrot, tmp_path):
    for _ in range(2):
        done = parrot("-m", "x", "-p", "hi", "--log-prompts-dir", str(tmp_path / "p"), "--verbose-prompt")
    names = sorted(path.name for path in (tmp_path / "p").iterdir())
    assert names == ["000001.txt", "000002.txt"]
    assert (tmp_path / "p" / "000002.txt").read_text() == "<user>hi"
    assert done.stderr.startswith('number of tokens in prompt = 8\n    60 -> "<"\n')


def test_the_log_file_gets_what_stderr_gets(parrot, tmp_path):
    path = tmp_path / "log"
    done = parrot("-m", "x", "-p", "hi", "--show-timings", "--numa", "x", "--log-file", str(path))
    lines = path.read_text().splitlines()
    assert [re.sub(r"^\d+\.\d\d\.\d{3}\.\d{3} ", "", line) for line in lines] == [
        "W warning: --numa is not supported yet and has no effect", "I [ Prompt: 8.0 t/s | Generation: 5.0 t/s ]",
    ]  # fmt: skip
    assert done.stderr.splitlines() == [line.split(" ", 2)[2] for line in lines]
    done = parrot("-m", "x", "-p", "refuse", "--log-file", str(path), "--no-log-prefix")
    assert path.read_text().startswith("error: the parrot")
    assert parrot("-m", "x", "-p", "hi", "--log-file", "/nope/x").stderr.startswith("error: cannot write the log")


def test_messages_as_json_lines(parrot):
    done = parrot("-m", "x", "-p", "refuse", "--show-timings", "--numa", "x", "--log-jsonl")
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["type"], line["level"]) for line in found][:2] == [("log", "warning"), ("log", "error")]
    assert done.stdout == ""


def test_a_prefix_on_stderr_when_asked_for(parrot):
    err = parrot("-m", "x", "-p", "hi", "--show-timings", "--log-prefix").stderr
    assert err == "I [ Prompt: 8.0 t/s | Generation: 5.0 t/s ]\n"
    assert re.match(r"0\.\d\d\.\d{3}\.\d{3} I \[", parrot("-m", "x", "-p", "hi", "--show-timings", "--log-prefix",
                                                        "--log-timestamps").stderr)  # fmt: skip


def test_tokens_are_counted(parrot):
    err = parrot("-m", "x", "-p", "a b c d e", "-ptc", "2").stderr
    assert err == "tokens generated: 2\ntokens generated: 4\n"


def test_text_around_the_persons_messages(parrot):
    assert parrot("-m", "x", "-p", "a", "--in-prefix", "<", "--in-suffix", ">").stdout == "<A>\n"
    assert parrot("-m", "x", "-cnv", "--in-prefix", "<", "--in-suffix", ">", input="a\nb\n").stdout == "<A>\n<B>\n"


def test_interactive_flags_chat(parrot):
    assert parrot("-m", "x", "-i", "-p", "a", input="b\n").stdout == "A\nB\n"
    assert parrot("-m", "x", "-if", "-p", "a", input="b\n").stdout == "B\n"


def test_the_prompt_is_shown_on_demand(parrot):
    assert parrot("-m", "x", "-no-cnv", "-p", "a", "--display-prompt").stdout == "aA\n"
    assert parrot("-m", "x", "-no-cnv", "-p", "a", "--no-display-prompt").stdout == "A\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", {}),
        ("--reasoning off", {"enable_thinking": False}),
        ("-rea on --reasoning-effort low", {"enable_thinking": True, "reasoning_effort": "low"}),
        ("--no-reasoning-preserve", {"preserve_reasoning": False}),
        ("--reasoning-budget 0", {"enable_thinking": False}),
        ("--reasoning-budget 9", {}),
        ('--chat-template-kwargs {"a":1,"enable_thinking":true} --reasoning off', {"a": 1, "enable_thinking": True}),
    ],
)
def test_what_reaches_the_template(line, words):
    assert parse(RUN, line.split(), {}, ()).chat.template_words == words


@pytest.mark.parametrize(
    ("words", "turn"),
    [
        ((), {"content": "SO", "reasoning_content": "HM"}),
        (("--reasoning-format", "none"), {"content": "<think>HM</think>SO"}),
        (("--skip-chat-parsing",), {"content": "<think>HM</think>SO"}),
        (("--no-reasoning-preserve",), {"content": "SO"}),
    ],
)
def test_reasoning_is_kept_apart(words, turn, monkeypatch):
    groups = parse(RUN, ["-m", "x", *words], {}, ())
    console = Console(fake.load(groups), groups, [])
    events = [fake.Text("<think>HM</think>SO", (1,)), fake.Stop("eos", fake.TIMINGS)]
    console.llm.chat = lambda messages, **more: iter(events)
    console._turn("a")
    assert console.conversation.messages[-1] == {"role": "assistant", **turn}
    assert Reasoning(True, plain=True).feed("x") == [("x", False)]


def test_a_transcript_without_a_folder_is_refused_before_the_answer(parrot, tmp_path):
    done = parrot("-m", "x", "-p", "a", "-o", str(tmp_path / "none" / "o.txt"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "create the folder first" in done.stderr
