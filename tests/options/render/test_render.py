"""Help, manual page and completions come out of the table, whole and current."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llamaspec.options import COMMANDS, RUN, Status
from llamaspec.options.render.bash import bash_text
from llamaspec.options.render.fish import fish_text
from llamaspec.options.render.help import COLUMN, help_text
from llamaspec.options.render.man import man_text
from llamaspec.options.render.zsh import zsh_text

ROOT = Path(__file__).parents[3]


def has(text, name):
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_names_every_flag(command):
    text = help_text(command)
    assert [name for flag in command.flags for name in flag.names if not has(text, name)] == []


def test_help_keeps_to_its_columns():
    for width in (80, 100, 120):
        for line in help_text(RUN, width).splitlines():
            assert len(line) <= width or not line.startswith(" "), line
            if line.startswith(" " * 3):
                assert len(line) - len(line.lstrip()) == COLUMN


def test_help_gives_defaults_and_variables():
    text = " ".join(help_text(RUN).split())
    assert (
        "maximum number of tokens that the draft model drafts per step (default: 3) (env: LLAMA_ARG_SPEC_DRAFT_N_MAX)"
        in text
    )
    assert "(no effect yet)" in text


def test_the_manual_page_names_every_flag():
    text = re.sub(r"\\f[BIR]", "", man_text("1")).replace("\\-", "-")
    assert [name for flag in RUN.flags for name in flag.on + flag.off if not has(text, name)] == []
    for code in ("0", "1", "2", "130", "141", "143"):
        assert f"\n{code}\n" in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_has_nothing_to_complain_about():
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=man_text("1"), capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if "cannot" not in line]
    assert (done.returncode, complaints) == (0, [])
    assert "--spec-type TYPE" in re.sub("\x1b\\[[0-9;]*m|.\b", "", done.stdout).replace("‐", "-").replace("−", "-")


def test_bash_completes():
    asked = "COMP_WORDS=(llamaspec --spec-stats ''); COMP_CWORD=2; _llamaspec; echo ${COMPREPLY[@]}"
    script = f"{bash_text()}\n{asked}"
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["new", "old", "json"]
    assert done.stderr == ""


@pytest.mark.parametrize(("text", "marker"), [(fish_text(), "-l {}"), (zsh_text(), "{}[")], ids=["fish", "zsh"])
def test_completions_name_every_live_flag(text, marker):
    for flag in RUN.flags:
        if flag.status is Status.LIVE:
            name = flag.long if "[" in marker else flag.long.lstrip("-")
            assert marker.format(name) in text or not flag.long.startswith("--")


def test_generated_files_are_current():
    done = subprocess.run([sys.executable, "scripts/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
