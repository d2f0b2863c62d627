"""Verbs, errors and exit codes, as a user meets them."""

import pytest

from llamaspec import __version__


def test_a_file_that_is_no_model_is_refused_before_torch_is_imported(spawn, tmp_path):
    path = tmp_path / "x.gguf"
    path.write_bytes(b"nonsense")
    done = spawn("tests.cli.imports", ["-m", str(path), "-p", "x"])
    assert done.returncode == 1
    assert "IMPORTED llamaspec.cli.app" in done.stderr
    assert "IMPORTED torch" not in done.stderr


def test_version_and_help_are_on_stdout(llamaspec):
    done = llamaspec("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"llamaspec {__version__}\n", "")
    for flag in ("-h", "--help"):
        done = llamaspec(flag)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: llamaspec [run] [options]")
        assert "--spec-type" in done.stdout
        assert ("--spec-ngram-map-k-size-n" in done.stdout) == (flag == "--help")


def test_help_of_each_command(llamaspec):
    for verb in ("demo", "show", "flags"):
        assert llamaspec(verb, "--help").stdout.startswith(f"usage: llamaspec {verb} [options]")


def test_completion(llamaspec):
    assert "complete -o filenames" in llamaspec("--completion-bash").stdout


USAGE = [
    (["rnu"], "error: unknown command 'rnu' (did you mean run?)"),
    (["hello", "world"], "error: unknown command 'hello'"),
    ([""], "error: unknown command ''"),
    (["help", "rnu"], "error: unknown command 'rnu' (did you mean run?)"),
    (["help", "bench"], "error: there is no `llamaspec bench` in this version"),
    (["server"], "error: there is no `llamaspec server` in this version"),
    (["bench", "-m", "x"], "error: there is no `llamaspec bench` in this version"),
    (["-m", "M", "-md", "-p", "hi"], "error: -md needs a file name, and the next word is the flag -p"),
    (["-ngll", "3"], "error: unknown option -ngll (did you mean -ngl?)"),
    (["run", "--bogus"], "error: unknown option --bogus"),
    (["-m", "x", "-p", "y", "--temp", "0.5x"], "error: --temp: expected a number, not '0.5x'"),
    (["-n"], "error: -n needs a value"),
    (["-dr", "a/b"], "error: -dr: Docker registries are not supported"),
    (["--port", "80"], "error: --port is an option of llama-server"),
    (["-p", "x"], "error: no model given"),
    (["-m", "x"], "error: no prompt given"),
    (["-m", "x", "-no-cnv"], "error: no prompt given"),
    (["-m", "x", "-p", "y", "--vocab-only"], "error: --vocab-only is for the Python API"),
    (
        ["-m", "x", "-p", "y", "--chat-template", "llama-3"],
        "error: --chat-template: 'llama-3' is neither Jinja text nor",
    ),
    (["-m", "x", "-p", "y", "--json", "-cnv"], "error: --json prints one answer"),
    (["-m", "x", "-p", "y", "--json-stream", "-cnv"], "error: --json-stream prints one answer"),
    (["show"], "error: show needs a file"),
    (["show", "a", "b"], "error: unexpected word 'b'"),
]


@pytest.mark.parametrize(("words", "message"), USAGE, ids=[" ".join(words) for words, _ in USAGE])
def test_wrong_usage_is_2_and_one_line(llamaspec, words, message):
    done = llamaspec(*words)
    assert (done.returncode, done.stdout) == (2, "")
    first, *rest = done.stderr.splitlines()
    assert first.startswith(message)
    assert len(rest) <= 1
    assert all(line.startswith("hint: ") for line in rest)


FAILED = [
    (["-m", "nope.gguf", "-p", "y"], "nope.gguf", "with -m"),
    (["-m", "/", "-p", "y"], "/", ""),
    (["-m", "/dev/null", "-p", "y"], "/dev/null", ""),
    (["-m", "x", "-f", "nope.txt"], "nope.txt", "given with -f"),
    (["-m", "x", "-p", "y", "-sysf", "nope.txt"], "nope.txt", "given with -sysf"),
    (["-m", "x", "-p", "y", "--chat-template-file", "nope.txt"], "nope.txt", "given with --chat-template-file"),
    (["-m", "pyproject.toml", "-p", "y"], "pyproject.toml", ""),
    (["show", "nope.gguf"], "nope.gguf", ""),
    (["-m", "a\x1b[31m\nb", "-p", "y"], "a␛[31m b", ""),
]


@pytest.mark.parametrize(("words", "named", "hint"), FAILED, ids=[repr(words) for words, *_ in FAILED])
def test_failures_are_1_and_name_the_culprit(llamaspec, words, named, hint):
    done = llamaspec(*words)
    assert (done.returncode, done.stdout) == (1, "")
    first, *rest = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert named in first
    assert hint in "".join(rest)
    assert "Traceback" not in done.stderr


def test_environment_and_config_are_read(parrot, tmp_path):
    (tmp_path / "llamaspec").mkdir()
    (tmp_path / "llamaspec" / "config.ini").write_text("[*]\nn-predict = 1\n")
    assert parrot("-m", "x", "-p", "a b c").stdout == "A\n"
    assert parrot("-m", "x", "-p", "a b c", env={"LLAMA_ARG_N_PREDICT": "2"}).stdout == "A B\n"
    assert parrot("-m", "x", "-p", "a b c", "-n", "-1", env={"LLAMA_ARG_N_PREDICT": "2"}).stdout == "A B C\n"


def test_warnings_follow_the_verbosity(parrot):
    assert (
        "warning: --numa is not supported yet and has no effect" in parrot("-m", "x", "-p", "a", "--numa", "x").stderr
    )
    assert parrot("-m", "x", "-p", "a", "--numa", "x", "-lv", "1").stderr == ""
    assert parrot("-m", "x", "-p", "a", "-md", "d", "--draft-max", "4").stderr == ""
    assert "note: --draft-max is older" in parrot("-m", "x", "-p", "a", "--draft-max", "4", "-lv", "3").stderr


def test_other_ways_to_say_a_command(parrot, llamaspec):
    assert parrot("x.gguf", "-p", "hi").stdout == "HI\n"
    assert parrot("chat", "-m", "x", input="hi\n").stdout == "HI\n"
    assert llamaspec("help").stdout == llamaspec("--help").stdout
    assert llamaspec("help", "rm").stdout.startswith("usage: llamaspec rm [options]")


def test_aliases_are_shell_code(llamaspec):
    done = llamaspec("alias")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "alias llama-cli='llamaspec run'"
