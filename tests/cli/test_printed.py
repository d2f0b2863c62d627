"""`llamaspec man` and `llamaspec completion` print what scripts/generate.py writes."""

from pathlib import Path

import pytest

from llamaspec import __version__
from llamaspec.cli.printed import completion, man
from llamaspec.errors import UsageError
from llamaspec.options import COMMANDS, parse

ROOT = Path(__file__).parents[2]
WORK = {"man": man, "completion": completion}


def printed(capsys, verb, *words):
    command = next(command for command in COMMANDS if command.name == verb)
    assert WORK[verb](parse(command, words, {}, ())) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", [[], *([command.name] for command in COMMANDS), ["llamaspec-rm"]], ids="".join)
def test_man_prints_a_page(capsys, words):
    name = "llamaspec" if not words else f"llamaspec-{words[0].removeprefix('llamaspec-')}"
    out = printed(capsys, "man", *words)
    assert out == (ROOT / "man" / f"{name}.1").read_text()
    assert f'"llamaspec {__version__}"' in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(capsys, shell):
    assert printed(capsys, "completion", shell) == (ROOT / "man" / "completions" / f"llamaspec.{shell}").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["man", "rn"], "unknown command 'rn'"),
        (["completion"], "completion needs the name of a shell"),
        (["completion", "csh"], "no completion for the shell 'csh'"),
    ],
)
def test_what_is_not_there(capsys, words, message):
    with pytest.raises(UsageError, match=message) as raised:
        printed(capsys, *words)
    assert raised.value.hint
