"""The main job on a real file: three commands, one text."""

import pytest

from llamaspec import shelf
from llamaspec.cli.run import run
from llamaspec.errors import LlamaspecError
from llamaspec.options import RUN, parse
from llamaspec.weights.file import GGUFFile
from tests.goldens import models

SUPPORTED = {name.replace("_", "-") for name in shelf.names("models")}


def plain(path):
    """Whether it is a whole model of 32-bit numbers, so that every machine can run it."""
    try:
        with GGUFFile(path) as file:
            types = {info.type for info in file.tensors.values()}
            return types == {"F32"} and file.metadata.architecture in SUPPORTED
    except LlamaspecError:
        return False


FILES = [golden.model for golden in models() if golden.model.is_file() and plain(golden.model)]


@pytest.fixture(scope="module")
def path():
    """The smallest model there is."""
    assert FILES
    return str(min(FILES, key=lambda file: file.stat().st_size))


def answer(capsys, *words):
    assert run(parse(RUN, [str(word) for word in words], {}, ())) == 0
    return capsys.readouterr()


@pytest.mark.parametrize("temp", ["0", "0.9"])
def test_speculation_changes_nothing_but_the_statistics(capsys, path, temp):
    said = ["-m", path, "-p", "a b a b a b", "-n", "24", "--temp", temp, "-s", "3", "-no-cnv", "--ignore-eos"]
    plain = answer(capsys, *said, "--show-timings")
    drafted = answer(capsys, *said, "-md", path, "--draft-max", "16", "--show-timings")
    ngram = answer(capsys, *said, "--spec-type", "ngram-simple", "--spec-ngram-size-n", "2", "--show-timings")
    assert plain.out == drafted.out == ngram.out
    assert len(plain.out) > 1
    assert "statistics" not in plain.err
    assert "draft acceptance = " in drafted.err
    assert "n-max 16" in drafted.err
    assert "speculation: ngram-simple (size-n 2," in ngram.err
    for streams in (plain, drafted, ngram):
        assert streams.err.splitlines()[-1].startswith("[ Prompt: ")


def test_the_whole_program(llamaspec, path):
    done = llamaspec("-m", path, "-md", path, "-p", "a", "-n", "8", "--temp", "0", "--draft-max", "4", "-no-cnv")
    assert done.returncode == 0
    assert done.stdout.endswith("\n")
    assert "draft acceptance = " in done.stderr


def test_a_prompt_that_does_not_fit_names_the_flag(llamaspec, path):
    done = llamaspec("-m", path, "-p", "a b c d e f g h " * 10, "-c", "8", "-no-cnv")
    assert (done.returncode, done.stdout) == (1, "")
    assert "-c" in done.stderr.splitlines()[-1]
