"""Downloads from the command line: -hf, pull, list, rm, and what they print where."""

import json
import os
import pty
import sys

import pytest

from llamaspec import demo
from tests.weights.fake_hub import FakeHub, gguf

SMALL = gguf("small", 5000)


@pytest.fixture
def hub():
    made = FakeHub()
    made.put("u/M", {"M-Q4_K_M.gguf": SMALL, "M-Q8_0.gguf": gguf("large", 9000)})
    made.put("u/demo", {"demo-Q8_0.gguf": demo_bytes()})
    yield made
    made.close()


def demo_bytes():
    with open(demo.target(), "rb") as file:
        return file.read()


@pytest.fixture
def said(llamaspec, hub):
    """said(words) -> the finished program, whose hub is the fake one."""
    return lambda *words, **env: llamaspec(*words, env={"HF_ENDPOINT": hub.url, "NO_PROXY": "*", **env})


def test_a_model_of_the_hub_answers_and_is_fetched_once(said, hub):
    words = ("-hf", "u/demo", "-p", "def f", "-n", "4", "-no-cnv", "--temp", "0")
    first = said(*words)
    assert [path.split("/")[1] for _, path, _ in hub.asked] == ["api", "u", "cdn"]
    assert first.returncode == 0, first.stderr
    assert "note: downloading demo-Q8_0.gguf (" in first.stderr
    assert "note: downloaded demo-Q8_0.gguf in" in first.stderr
    again = said(*words, "--offline")
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert "download" not in again.stderr
    assert len(hub.gets("/cdn/")) == 1


def test_pull_prints_the_path_and_nothing_else_on_stdout(said):
    done = said("pull", "u/M:Q8_0", "--log-disable")
    assert (done.returncode, done.stderr) == (0, "")
    assert open(done.stdout.strip(), "rb").read() == gguf("large", 9000)  # noqa: SIM115
    assert said("pull", "-hf", "u/M:Q8_0").stdout == done.stdout


def test_list_and_rm(said):
    assert "llamaspec pull" in said("list").stderr
    said("pull", "u/M"), said("pull", "u/M:Q8_0")
    shown = said("list").stdout.splitlines()
    assert [line.split()[0] for line in shown] == ["u/M:Q4_K_M", "u/M:Q8_0"]
    assert "4.9 KiB" in shown[0]
    assert [model["bytes"] for model in json.loads(said("list", "--json").stdout)] == [5000, 9000]
    assert said("--cache-list").stdout == "number of models in cache: 2\n   1. u/M:Q4_K_M\n   2. u/M:Q8_0\n"
    dry = said("rm", "u/M:Q8_0")
    assert dry.stderr == "would remove u/M:Q8_0 (8.8 KiB)\nnothing was deleted; with --yes 8.8 KiB would be freed\n"
    assert len(said("list").stdout.splitlines()) == 2
    assert said("rm", "u/M:Q8_0", "--yes").stderr == "removed u/M:Q8_0 (8.8 KiB)\n"
    assert said("rm", "--yes", "u/M").returncode == 0
    assert said("list").stdout == ""


def test_unfinished_downloads_are_listed_and_removed(said, hub, tmp_path):
    hub.faults["*"] = ["", "", "cut 1000", *["status 404"] * 9]
    assert said("pull", "u/M").returncode == 1
    assert "1 unfinished download (1000 B)" in said("list").stderr
    assert "would remove" in said("rm", "--unfinished").stderr
    assert said("rm", "--unfinished", "-y").returncode == 0
    assert not list(tmp_path.rglob("*part*"))


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["-hf", "nonsense", "-p", "x"], 2, "-hf: expected USER/MODEL or USER/MODEL:QUANT"),
        (["-hf", "u/none", "-p", "x"], 1, "u/none does not exist, or is private or gated (401)"),
        (["-hf", "u/M:Q2_K", "-p", "x"], 1, "u/M has no file for the quantisation 'Q2_K'"),
        (["-hf", "u/M", "-p", "x", "--offline"], 1, "u/M is not in the cache"),
        (["-mu", "ftp://x/y", "-p", "x"], 2, "-mu: expected an address that begins with https:// or http://"),
        (["pull"], 2, "pull needs the name of a model"),
        (["pull", "M"], 2, "pull: expected USER/MODEL"),
        (["rm"], 2, "rm needs the name of a model"),
        (["rm", "u/M"], 1, "u/M is not in "),
        (["-hf", "u/M", "-p", "x"], 1, "M-Q4_K_M.gguf"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_errors_are_one_line_and_a_hint(said, words, code, message):
    done = said(*words)
    errors = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    assert (done.returncode, done.stdout) == (code, "")
    assert errors[0].startswith("error: ")
    assert message in errors[0]
    assert len(errors) <= 2
    assert "Traceback" not in done.stderr


def test_no_network_is_said_in_a_line(llamaspec):
    done = llamaspec("-hf", "u/M", "-p", "x", env={"HF_ENDPOINT": "http://127.0.0.1:9", "NO_PROXY": "*"})
    assert done.returncode == 1
    assert done.stderr.startswith("error: the connection to 127.0.0.1 for u/M failed: ")


def test_a_token_is_in_no_output(said, hub):
    token = "hf_" + "Z" * 34
    hub.gated.add("u/M")
    done = said("-hf", "u/M", "-p", "x", "--hf-token", token, "--debug", HF_TOKEN=token)
    assert done.returncode == 1
    assert token not in done.stdout + done.stderr


def test_a_terminal_sees_a_bar(tmp_path, hub):
    from .conftest import ROOT, clean_environment

    hub.faults["*"] = ["", "", "slow"]
    pid, terminal = pty.fork()
    if pid == 0:
        env = {
            **clean_environment(tmp_path),
            "HF_ENDPOINT": hub.url,
            "NO_PROXY": "*",
            "TERM": "xterm",
            "COLUMNS": "100",
        }
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-m", "llamaspec", "pull", "u/M"], env)
    seen = b""
    try:
        while data := os.read(terminal, 4096):
            seen += data
    except OSError:  # the other end is closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"M-Q4_K_M.gguf" in seen
    assert b"100%" in seen
    assert b"/s" in seen
