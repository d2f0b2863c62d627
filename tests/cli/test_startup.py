"""What may be imported on the way to an answer: a list of names, so that nothing heavy creeps in unseen."""

import subprocess
import sys

import pytest

from llamaspec import demo
from llamaspec.cli import dispatch, verbs
from llamaspec.kernels import native
from llamaspec.options.commands import COMMANDS, RUN

OPTIONS = {"llamaspec", "llamaspec.errors", "llamaspec.shelf", "llamaspec.options", "llamaspec.drafting"}
"""Packages that reading the command line needs, besides the modules of options."""
FRONT = {
    "llamaspec.cli",
    "llamaspec.cli.app",
    "llamaspec.cli.dispatch",
    "llamaspec.cli.runner",
    "llamaspec.cli.terminal",
}
ONE_SHOT = {
    f"llamaspec.cli.{name}"
    for name in (
        "budget",
        "conversation",
        "fetch",
        "loading",
        "paint",
        "prompt",
        "reasoning",
        "record",
        "report",
        "run",
    )
}
ENGINE = {"llamaspec.drafting.stats"} | {f"llamaspec.engine{name}" for name in ("", ".events", ".llm", ".judge")}
RENDERER = {"llamaspec.text", "llamaspec.text.renderer"}
FILE = {f"llamaspec.weights{name}" for name in ("", ".file", ".header", ".metadata", ".types")}
SLOW = {
    "asyncio", "concurrent", "configparser", "csv", "difflib", "email", "http", "logging", "multiprocessing", "socket",
    "ssl", "subprocess", "unittest", "urllib.request", "xml",
}  # fmt: skip
"""Parts of the standard library that take milliseconds each."""


def imported(done) -> set[str]:
    found = {line.removeprefix("IMPORTED ") for line in done.stderr.splitlines() if line.startswith("IMPORTED ")}
    assert "llamaspec.cli.app" in found
    return found


def ours(names: set[str]) -> set[str]:
    return {name for name in names if name.partition(".")[0] == "llamaspec"}


def of_others(names: set[str]) -> set[str]:
    roots = {name.partition(".")[0] for name in names}
    return roots - sys.stdlib_module_names - {"llamaspec"}


ABOUT = [["--version"], ["--help"], ["-h"], ["run", "-h"], ["rm", "--help"], ["--completion-bash"], ["-ngll"]]


@pytest.mark.parametrize("words", ABOUT, ids=" ".join)
def test_what_needs_no_model_imports_the_option_table_and_no_package_of_others(spawn, words):
    found = imported(spawn("tests.cli.imports", words))
    assert of_others(found) == set()
    assert {name for name in ours(found) if not name.startswith("llamaspec.options.")} <= OPTIONS | FRONT
    assert not found & (SLOW - ({"difflib"} if words == ["-ngll"] else set()))


def test_a_one_shot_answer_imports_numpy_and_no_other_package_before_its_engine(spawn):
    words = ["run", "-m", str(demo.target()), "-md", str(demo.draft()), "-p", "x", "--kernels", "native"]
    done = spawn("tests.cli.imports", words, env={"STOP_AT_ENGINE": "1"})
    assert "error: the engine starts here" in done.stderr
    found = imported(done)
    assert of_others(found) == {"numpy"}
    rest = {name for name in ours(found) if not name.startswith(("llamaspec.options.", "llamaspec.demo"))}
    assert rest <= OPTIONS | FRONT | ONE_SHOT | ENGINE | FILE | RENDERER
    assert not found & (SLOW - {"subprocess"})


HEAVY = {"typer", "click", "rich", "prompt_toolkit", "jinja2", "sentencepiece", "huggingface_hub", "gguf", "torch"}


@pytest.mark.skipif(not native.available(), reason="the native kernels are not built")
@pytest.mark.parametrize("words", [[], ["-no-cnv"], ["--json", "-cnv", "-st"]], ids=" ".join)
def test_a_whole_answer_imports_nothing_that_it_does_not_use(spawn, words):
    models = ["-m", str(demo.target()), "-md", str(demo.draft())]
    done = spawn("tests.cli.imports", ["run", *models, "-p", "def f(x):", "-n", "4", "--kernels", "native", *words])
    assert (done.returncode, bool(done.stdout.strip())) == (0, True)
    assert imported(done) & HEAVY == set()


def test_a_usage_error_of_run_does_not_import_numpy(spawn):
    assert of_others(imported(spawn("tests.cli.imports", ["-p", "x"]))) == set()


@pytest.mark.parametrize("words", [["man"], ["man", "rm"], ["completion", "zsh"]], ids=" ".join)
def test_what_is_printed_from_the_table_imports_little_more(spawn, words):
    found = imported(spawn("tests.cli.imports", words))
    assert of_others(found) == set()
    rest = {name for name in ours(found) if not name.startswith("llamaspec.options.")}
    assert rest <= OPTIONS | FRONT | {"llamaspec.cli.printed"}
    assert not found & SLOW


@pytest.mark.parametrize("words", [["help"], ["bench"], ["rnu"]], ids=" ".join)
def test_words_that_are_no_verbs_are_left_to_typer(spawn, words):
    found = imported(spawn("tests.cli.imports", words))
    assert "typer" in found
    assert not {"rich", "numpy", "torch"} & found


def test_typer_and_the_front_do_the_same_for_every_verb(monkeypatch):
    said = []
    monkeypatch.setattr(verbs, "obey", lambda command, words: said.append((command.name, list(words))) or 7)
    monkeypatch.setattr(dispatch, "obey", verbs.obey)
    for words in ([], ["-m", "x"], ["x.gguf", "-n", "3"], *([command.name, "--help", "-x"] for command in COMMANDS)):
        codes = (verbs.app(list(words), standalone_mode=False)(), dispatch.command_line(words))
        assert codes == (7, 7)
        typed, direct = said[-2:]
        assert typed == direct
    assert {name for name, _ in said} == {command.name for command in COMMANDS}
    assert said[0] == (RUN.name, [])


def test_tokens_of_a_sentencepiece_model_need_no_package_of_others(spawn):
    code = "import sys; from llamaspec.text import tokenizer; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tokenizers", "jinja2", "sentencepiece", "gguf"} & set(done.stdout.split())
