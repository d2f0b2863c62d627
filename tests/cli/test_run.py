"""One shot or chat, and what goes to which stream."""

import json

import pytest

from llamaspec import demo
from llamaspec.cli import report
from llamaspec.cli import run as module
from llamaspec.cli.loading import load
from llamaspec.cli.reasoning import Reasoning
from llamaspec.engine.events import Text
from llamaspec.errors import LlamaspecError
from llamaspec.options import RUN, parse

from . import fake

TIMING = "[ Prompt: 8.0 t/s | Generation: 5.0 t/s ]"


@pytest.fixture
def ask(monkeypatch, capsys):
    """ask(line) -> what the engine was asked, stdout, stderr."""

    def one(*words):
        made = []
        monkeypatch.setattr(module, "load", lambda groups: made.append(fake.load(groups)) or made[-1])
        assert module.run(parse(RUN, ["-m", "x", *words], {}, ())) == 0
        streams = capsys.readouterr()
        return made[0].asked, streams.out, streams.err

    return one


def test_a_prompt_is_a_user_turn_if_the_model_has_a_template(ask):
    asked, out, _ = ask("-p", "hi you", "-sys", "be kind")
    turns = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi you"}]
    assert asked == [("chat", turns, {})]
    assert out == "HI YOU\n"


def test_a_prompt_is_raw_text_with_no_cnv_or_without_a_template(ask):
    assert ask("-p", "hi", "-no-cnv")[0] == [("stream", "hi", {})]
    assert ask("-p", "hi", "-m", "plain")[0] == [("stream", "hi", {})]
    assert ask("-p", "hi", "-m", "plain", "-cnv", "-st")[0][0][0] == "chat"
    assert "-sys is ignored with -no-cnv" in ask("-p", "hi", "-no-cnv", "-sys", "x")[2]


def test_escapes_are_expanded_where_llama_cpp_does(ask, tmp_path):
    path = tmp_path / "prompt.txt"
    path.write_bytes(b"a\\nb\n\n")
    assert ask("-p", r"a\nb", "-no-cnv")[0][0][1] == "a\nb"
    assert ask("-p", r"a\nb", "-no-cnv", "--no-escape")[0][0][1] == r"a\nb"
    assert ask("-f", str(path), "-no-cnv")[0][0][1] == "a\nb\n"
    assert ask("-bf", str(path), "-no-cnv")[0][0][1] == "a\\nb\n\n"


def test_an_empty_prompt_is_a_prompt(ask):
    assert ask("-p", "", "-no-cnv")[0] == [("stream", "", {})]


def test_nothing_is_printed_for_no_tokens(ask):
    assert ask("-p", "hi", "-n", "0")[1:] == ("", "")


def test_statistics_are_on_stderr_when_speculation_ran(ask):
    assert ask("-p", "hi")[2] == ""
    out, err = ask("-p", "hi", "--spec-type", "ngram-mod")[1:]
    assert out == "HI\n"
    assert err.splitlines()[:2] == [
        "speculation: ngram-mod (n-max 64)",
        "draft acceptance = 0.75000 (    6 accepted /     8 generated), mean len =  4.00",
    ]
    assert "statistics        ngram-mod: #calls(b,g,a) =" in err
    assert TIMING not in err


def test_show_timings_comes_last(ask):
    assert ask("-p", "hi", "--show-timings")[2] == f"{TIMING}\n"
    assert ask("-p", "hi", "--spec-type", "ngram-mod", "--show-timings")[2].splitlines()[-1] == TIMING


def test_older_statistics(ask):
    err = ask("-p", "hi", "--spec-type", "ngram-mod", "--spec-stats", "old")[2]
    assert "draft acceptance rate = 0.75000 (    6 accepted /     8 generated)" in err
    assert "statistics ngram_mod: #calls(b,g,a) = " in err


def test_a_stream_of_json_lines(ask):
    _, out, err = ask("-p", "hi you", "--json-stream", "-no-cnv", "--display-prompt", "--color-spec", "on")
    *pieces, last = [json.loads(line) for line in out.splitlines()]
    assert pieces == [
        {"type": "text", "text": "HI", "tokens": [0]},
        {"type": "text", "text": " YOU", "tokens": [1]},
    ]
    assert last["type"] == "stop"
    assert last["text"] == "HI YOU"
    assert last["stop"] == "eos"
    assert last["timings"]["predicted_n"] == 10
    assert err == ""


def test_a_drafted_piece_names_its_drafter():
    assert report.piece("a", [5], Text("a", (5,), "ngram-mod", 2)) == {
        "type": "text", "text": "a", "tokens": [5], "drafter": "ngram-mod", "depth": 2,
    }  # fmt: skip


def test_statistics_as_json(ask):
    err = ask("-p", "hi", "--spec-type", "ngram-mod", "--spec-stats", "json")[2]
    assert json.loads(err)["draft_n_accepted"] == 6


def test_verbosity_0_says_nothing(ask):
    assert ask("-p", "hi", "--spec-type", "ngram-mod", "-lv", "0")[2] == ""


def test_one_object_on_stdout(ask):
    out = ask("-p", "hi you", "--json", "--spec-type", "ngram-mod")[1]
    found = json.loads(out)
    assert out.count("\n") == 1
    assert (found["text"], found["tokens"], found["stop"]) == ("HI YOU", [2, 3], "eos")
    assert (found["timings"]["draft_n"], found["timings"]["draft_n_accepted"]) == (8, 6)
    assert found["timings"]["predicted_per_second"] == 5.0
    assert found["drafting"]["drafters"][0]["name"] == "ngram-mod"
    assert json.loads(ask("-p", "hi", "--json")[1])["drafting"] is None


def test_a_full_context_is_said(monkeypatch, capsys):
    groups = parse(RUN, ["-m", "x", "-p", "hi"], {}, ())
    module.one_answer(groups, iter([fake.Stop("context")]), Reasoning())
    assert "the context is full" in capsys.readouterr().err


def test_an_engine_is_stopped_when_the_answer_cannot_be_written(monkeypatch):
    groups = parse(RUN, ["-m", "x", "-p", "hi"], {}, ())
    closed = []

    def events():
        try:
            yield fake.Text("a")
            yield fake.Text("b")
        finally:
            closed.append(True)

    def broken(text):
        raise LlamaspecError("cannot write the answer")

    monkeypatch.setattr(module.terminal, "answer", broken)
    with pytest.raises(LlamaspecError, match="cannot write"):
        module.one_answer(groups, events(), Reasoning())
    assert closed == [True]


def test_piped_text_is_the_prompt(parrot):
    done = parrot("-m", "x", input="from a pipe\n")
    assert (done.returncode, done.stdout) == (0, "FROM A PIPE\n")
    done = parrot("-m", "x", "-p", "said", input="from a pipe\n")
    assert done.stdout == "SAID\n"
    assert parrot("-m", "x", input="").returncode == 2


def test_files_that_are_no_models_are_named_with_their_flag(tmp_path):
    with pytest.raises(LlamaspecError) as raised:
        load(parse(RUN, ["-m", str(demo.target()), "-md", str(tmp_path / "none.gguf")], {}, ()))
    assert "-md" in raised.value.hint


@pytest.mark.parametrize("words", [("-f", "-"), ("-p", "-")])
def test_a_dash_is_standard_input(parrot, words):
    done = parrot("-m", "x", *words, input="from a pipe\n")
    assert (done.returncode, done.stdout) == (0, "FROM A PIPE\n")


def test_a_character_that_was_cut_in_two_is_not_shown(monkeypatch, capsys):
    groups = parse(RUN, ["-m", "x", "-p", "hi"], {}, ())
    events = [fake.Text("a\ufffd", (1,)), fake.Text("\ufffd"), fake.Stop("limit")]
    module.one_answer(groups, iter(events), Reasoning())
    assert capsys.readouterr().out == "a\ufffd\n"


def test_a_drafter_that_found_nothing_has_no_row_of_zeros():
    groups = parse(RUN, ["-m", "x", "--spec-type", "ngram-mod"], {}, ())
    stop = fake.Stop("eos", fake.TIMINGS, fake.Report(fake.Request(), (fake.Counters("ngram-mod"),)))
    assert report.lines(stop, groups, chat=False)[1:] == ["ngram-mod: found nothing to draft"]
    assert "ngram-mod: found nothing to draft" in report.everything(stop, groups)[-1]


def test_a_prompt_that_was_cached_has_no_speed():
    cached = fake.Timings(prompt_n=1, prompt_s=0.001, cache_n=99, predicted_n=10, predicted_s=2.0)
    assert report.speeds(cached) == "[ Prompt: cached | Generation: 5.0 t/s ]"


def test_what_the_machine_makes_idle_is_said(llamaspec):
    words = ("demo", "-p", "x", "-no-cnv", "-n", "1", "-c", "4096", "-t", "3000", "-lv", "3")
    err = llamaspec(*words).stderr
    assert "note: -c 4096 is more than the 2048 tokens that the model was trained with" in err
    assert "note: -t 3000 is more than the" in err
    for start in (
        "model: llamaspec demo target (llama)",
        "context: 4096 tokens",
        "device: CPU",
        "samplers: ",
        "speculation: ",
    ):
        assert f"\n{start}" in err
