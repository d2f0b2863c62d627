"""The program on a machine without PyTorch: the native kernels do it all, and what needs torch says so."""

import json

import pytest

from llamaspec import demo
from llamaspec.drafting.lookup_cache import LookupCache
from llamaspec.kernels import native

needs_native = pytest.mark.skipif(not native.available(), reason=native.why_not())
PAIR = ["-m", str(demo.target()), "-md", str(demo.draft()), "-n", "12", "--temp", "0"]


@pytest.fixture
def torchless(spawn):
    """The program without torch."""
    return lambda *words, **options: spawn("tests.cli.torchless", words, **options)


@needs_native
def test_a_one_shot_answer_with_its_statistics(torchless, llamaspec):
    words = [*PAIR, "-p", "def f(x):", "-no-cnv", "--show-timings"]
    done, usual = torchless(*words), llamaspec(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == usual.stdout != ""
    assert "draft acceptance = " in done.stderr


@needs_native
def test_a_chat_and_its_statistics(torchless):
    done = torchless(*PAIR, "-cnv", input="def f(x):\nand more\n/stats\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "more were in the cache" in done.stderr
    assert "since the start:" in done.stderr


@needs_native
def test_json_and_a_file_of_what_was_learnt(torchless, tmp_path):
    path = tmp_path / "learnt.bin"
    words = ["-m", str(demo.target()), "-n", "12", "--temp", "0", "--spec-type", "ngram-cache", "-lcd", str(path)]
    done = torchless(*words, "-p", "a b a b a b", "-no-cnv", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["tokens"]) == 12
    assert len(LookupCache.read(path)) > 0


def test_show(torchless):
    done = torchless("show", "-m", str(demo.target()))
    assert done.returncode == 0, done.stderr
    assert "vocabulary" in done.stdout


@pytest.mark.parametrize("words", [["--kernels", "reference"], ["-dev", "CUDA0"]], ids=" ".join)
def test_what_needs_torch_says_so_in_one_line_with_the_command_that_installs_it(torchless, words):
    done = torchless("-m", str(demo.target()), "-p", "x", *words)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert "PyTorch" in error
    assert hint.startswith("hint: pip install torch")


def test_the_devices_say_what_is_missing(torchless):
    done = torchless("--list-devices")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("(pip install torch)")
