"""Signals, closed pipes, full disks and bugs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import ROOT, clean_environment


def test_ctrl_c_keeps_the_text_so_far(parrot):
    done = parrot("-m", "x", "-p", "one two ^C three")
    assert (done.returncode, done.stdout, done.stderr) == (130, "ONE TWO", "")


def test_sigterm_keeps_the_text_so_far(parrot):
    done = parrot("-m", "x", "-p", "one two ^T three")
    assert (done.returncode, done.stdout, done.stderr) == (143, "ONE TWO", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_signals_from_outside(tmp_path, number, code):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.fake", "-m", "x", "-p", "one sleep"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=clean_environment(tmp_path),
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.read(3) == b"ONE"
    time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (code, b"", b"")


def shell(script: str, home: Path) -> subprocess.CompletedProcess[str]:
    """What bash makes of a line."""
    return subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=clean_environment(home), capture_output=True, text=True, timeout=60
    )


def test_a_closed_pipe_ends_quietly(tmp_path):
    words = " ".join(["word"] * 20000)
    (tmp_path / "prompt").write_text(words)
    script = f'"{sys.executable}" -m tests.cli.fake -m x -f "{tmp_path}/prompt" | head -c 5; echo " ${{PIPESTATUS[0]}}"'
    done = shell(script, tmp_path)
    assert (done.stdout, done.stderr) == ("WORD  141\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["-m", "x", "-p", "a"], ["-m", "x", "-p", "a", "--json"], ["--version"], ["--help"]])
def test_a_full_disk_is_an_error(parrot, words):
    with open("/dev/full", "w") as full:
        done = parrot(*words, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write the answer: No space left on device\n"


def test_a_closed_stdout_is_an_error(tmp_path):
    script = f'"{sys.executable}" -m tests.cli.fake -m x -p a >&-'
    done = shell(script, tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write the answer: standard output is closed\n"


def test_a_closed_stderr_is_not(tmp_path):
    script = f'"{sys.executable}" -m tests.cli.fake -m x -p a --show-timings 2>&-'
    done = shell(script, tmp_path)
    assert (done.returncode, done.stdout) == (0, "A\n")


def test_a_bug_is_one_line_without_debug(parrot):
    done = parrot("-m", "x", "-p", "one crash")
    assert (done.returncode, done.stdout) == (1, "ONE")
    first, second = done.stderr.splitlines()
    assert first == "error: internal: RuntimeError: the parrot"
    assert "--debug" in second


@pytest.mark.parametrize("how", [{"words": ["--debug"]}, {"env": {"LLAMASPEC_DEBUG": "1"}}], ids=["flag", "variable"])
def test_a_bug_has_a_traceback_with_debug(parrot, how):
    done = parrot("-m", "x", "-p", "one crash", *how.get("words", []), env=how.get("env"))
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "error: internal: RuntimeError" in done.stderr


def test_a_refusal_in_the_middle(parrot):
    done = parrot("-m", "x", "-p", "one refuse")
    assert (done.returncode, done.stdout) == (1, "ONE")
    assert done.stderr == "error: the parrot ␛[31mrefuses\nhint: give it a nut\n"


def test_the_answer_is_utf8_in_any_locale(parrot):
    for env in ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}):
        done = parrot("-m", "x", "-f", os.devnull, "-p", "\u00fc \u00e9", env=env, encoding="utf-8")
        assert (done.returncode, done.stdout) == (0, "Ü É\n")
