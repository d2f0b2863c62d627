"""Help, manual page and completions come out of the table, whole and current."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llamaspec.options import COMMANDS, REMOVE, RUN, Status
from llamaspec.options.render.bash import bash_text
from llamaspec.options.render.fish import fish_text
from llamaspec.options.render.help import COLUMN, help_text, short_help
from llamaspec.options.render.man import man_text, page_name, verb_text
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


def test_help_fits_narrow_terminals():
    for page in (help_text, short_help):
        assert [line for line in page(RUN, 40).splitlines() if len(line) > 40 and " " in line.strip()] == []


def test_the_short_help_is_what_is_marked_as_common():
    text = short_help(RUN)
    marked = [flag for flag in RUN.flags if flag.common]
    assert 20 <= len(marked) <= 40
    assert [flag.long for flag in marked if not has(text, flag.long)] == []
    others = [flag for flag in RUN.flags if not flag.common and flag.long.startswith("--") and flag.key != "temp"]
    assert [flag.long for flag in others if has(text, flag.long)] == []
    assert text.count("\n") < 80


def test_commands_with_few_flags_have_one_help():
    assert short_help(REMOVE) == help_text(REMOVE)


def test_help_gives_defaults_and_variables():
    text = " ".join(help_text(RUN).split())
    assert (
        "maximum number of tokens that the draft model drafts per step (default: 3) (env: LLAMA_ARG_SPEC_DRAFT_N_MAX)"
        in text
    )
    assert "(no effect yet)" in text
    assert "maximum number of prompt tokens in one logical batch (ignored: does not apply) (default: 2048)" in text


def test_the_manual_page_names_every_flag():
    text = re.sub(r"\\f[BIR]", "", man_text("1")).replace("\\-", "-")
    assert [name for flag in RUN.flags for name in flag.on + flag.off if not has(text, name)] == []
    for code in ("0", "1", "2", "130", "141", "143"):
        assert f"\n{code}\n" in text


PAGES = {"llamaspec": man_text("1"), **{page_name(command): verb_text(command, "1") for command in COMMANDS}}


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
@pytest.mark.parametrize("name", PAGES)
def test_groff_has_nothing_to_complain_about(name):
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=PAGES[name], capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if "cannot" not in line]
    assert (done.returncode, complaints) == (0, [])
    shown = re.sub("\x1b\\[[0-9;]*m|.\b", "", done.stdout).replace("‐", "-").replace("−", "-")
    assert f"{name} - " in " ".join(shown.split())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_page_of_a_command_names_its_flags(command):
    text = re.sub(r"\\f[BIR]", "", PAGES[page_name(command)]).replace("\\-", "-")
    assert f"\nllamaspec {'[run]' if command is RUN else command.name} " in text
    missing = [name for flag in command.flags if flag.group for name in flag.on if not has(text, name)]
    assert missing == [] or command.flags == RUN.flags


def completed(*words, cwd=ROOT):
    """What bash offers for the last word of a command line, and whether file names may follow."""
    asked = f"""
        shopt -s extglob
        compopt() {{ [[ $* == *+o*default* ]] && files=no; }}
        files=yes COMP_WORDS=({" ".join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}
        _llamaspec
        printf '%s\\n' "$files" "${{COMPREPLY[@]}}"
    """
    script = f"{bash_text()}\n{asked}"
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, cwd=cwd)
    assert done.stderr == ""
    files, *found = done.stdout.split("\n")[:-1]
    return [word for word in found if word], files == "yes"


def test_bash_completes(tmp_path):
    assert completed("llamaspec", "--spec-stats", "") == (["new", "old", "json"], False)
    assert completed("llamaspec", "--spec-stats", "=", "o") == (["old"], False)
    assert completed("llamaspec", "--spec-stats", "=") == (["new", "old", "json"], False)
    assert completed("llamaspec", "--temper")[0] == ["--temperature"]
    assert completed("llamaspec", "rm", "--ye") == (["--yes"], False)
    assert completed("llamaspec", "rm", "--spec") == ([], False)
    assert completed("llamaspec", "lookup-c") == (["lookup-create"], False)
    assert completed("llamaspec", "--temp", "") == ([], False)
    assert completed("llamaspec", "-f", "REA") == ([], True)
    assert completed("llamaspec", "show", "x") == ([], True)
    assert completed("llamaspec", "--spec-type", "ngram-simple,draft-t")[0] == ["ngram-simple,draft-tree"]
    assert completed("llamaspec", "-dev", "c")[0] == ["cpu"]
    for name in ("a b.gguf", "c.txt", "d"):
        (tmp_path / name).mkdir() if name == "d" else (tmp_path / name).touch()
    assert completed("llamaspec", "-m", "", cwd=tmp_path)[0] == ["a b.gguf", "d"]
    assert "a b.gguf" in completed("llamaspec", "a", cwd=tmp_path)[0]


def test_bash_offers_every_flag():
    assert completed("llamaspec", "-")[0] == [name for flag in RUN.flags for name in flag.names]


@pytest.mark.parametrize("text", [bash_text(), zsh_text()], ids=["bash", "zsh"])
def test_no_process_is_started_at_tab(text):
    assert (
        re.findall(r"\$\((?!\()|`|<\(|\|\s", text.split("completion for llamaspec", 1)[1].replace("found=(", "")) == []
    )


@pytest.mark.parametrize(("shell", "text"), [("bash", bash_text()), ("zsh", zsh_text()), ("fish", fish_text())])
def test_a_shell_can_read_its_script(shell, text, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    path = tmp_path / "script"
    path.write_text(text)
    done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(tmp_path):
    path = tmp_path / "llamaspec.fish"
    path.write_text(fish_text())

    def offered(line):
        script = f"source {path}; complete -C {shlex.quote(line)}"
        done = subprocess.run(["fish", "-N", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
        assert done.stderr == ""
        return [found.split("\t")[0] for found in done.stdout.splitlines()]

    assert offered("llamaspec --spec-stats ") == ["json", "new", "old"]
    assert offered("llamaspec -dev c") == ["cpu"]
    assert offered("llamaspec --spec-type ngram-simple,draft-t") == ["ngram-simple,draft-tree"]
    assert offered("llamaspec -f READ") == ["README.md"]
    assert "--yes" in offered("llamaspec rm --ye")


@pytest.mark.parametrize(("text", "marker"), [(fish_text(), "-l {}"), (zsh_text(), "'{}  ")], ids=["fish", "zsh"])
def test_completions_name_every_live_flag(text, marker):
    for flag in RUN.flags:
        if flag.status is Status.LIVE:
            name = flag.long if "  " in marker else flag.long.lstrip("-")
            assert marker.format(name) in text or not flag.long.startswith("--")


def test_generated_files_are_current():
    done = subprocess.run([sys.executable, "scripts/generate.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
