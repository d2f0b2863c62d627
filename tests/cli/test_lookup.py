"""The lookup tools at the command line, with the tokenizer of the embedded model."""

import io
import json
from types import SimpleNamespace

import pytest

from llamaspec import demo
from llamaspec.cli import lookup
from llamaspec.drafting.lookup_cache import LookupCache
from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.measure import lookup as measure
from llamaspec.options import LOOKUP_CREATE, LOOKUP_MERGE, LOOKUP_STATS, parse
from llamaspec.text.tokenizer import Tokenizer
from llamaspec.weights.file import GGUFFile

TEXT = "def f(x):\n    return x + 1\n\n\n" * 20
MODEL = str(demo.target())


def encode(text):
    with GGUFFile(MODEL) as file:
        return Tokenizer.from_metadata(file.metadata).encode(text, True, True)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.py"
    path.write_text(TEXT)
    return str(path)


def create(*words):
    return lookup.create(parse(LOOKUP_CREATE, ["-m", MODEL, *words], {}, ()))


def merge(*words):
    return lookup.merge(parse(LOOKUP_MERGE, words, {}, ()))


def stats(*words):
    return lookup.stats(parse(LOOKUP_STATS, ["-m", MODEL, *words], {}, ()))


def test_a_text_becomes_a_file(tmp_path, text, capsys):
    target = tmp_path / "static.bin"
    assert create("-f", text, "-lcs", str(target)) == 0
    assert target.read_bytes() == measure.create(encode(TEXT.removesuffix("\n"))).to_bytes()
    streams = capsys.readouterr()
    assert streams.out == ""
    assert f"written to {target}" in streams.err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_texts_are_read_as_prompts_are(tmp_path):
    files = [str(tmp_path / name) for name in "abc"]
    create("-p", r"a\nb a\nb", "-lcs", files[0])
    create("-p", "a\nb a\nb", "-lcs", files[1], "--no-escape")
    create("-p", r"a\nb a\nb", "-lcs", files[2], "--no-escape")
    first, second, third = (LookupCache.read(file).to_bytes() for file in files)
    assert first == second != third


def test_piped_text(tmp_path, monkeypatch):
    for name, data in (("a", TEXT.encode()), ("b", TEXT.encode() + b"\n")):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data), isatty=lambda: False))
        create("-lcs", str(tmp_path / name))
    assert (tmp_path / "a").stat().st_size > 0
    assert len(LookupCache.read(tmp_path / "b")) >= len(LookupCache.read(tmp_path / "a"))


def test_json(tmp_path, text, capsys):
    create("-f", text, "-lcs", str(tmp_path / "a"), "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["file"] == str(tmp_path / "a")
    assert found["ngrams"] == len(LookupCache.read(tmp_path / "a"))
    merge(str(tmp_path / "a"), str(tmp_path / "a"), str(tmp_path / "c"), "--json")
    assert json.loads(capsys.readouterr().out) == {"files": 2, "ngrams": found["ngrams"], "file": str(tmp_path / "c")}


def test_merging_into_an_input(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    measure.create([1, 2, 3]).write(a)
    measure.create([1, 2, 3]).write(b)
    merge(str(a), str(b), str(b))
    assert dict(LookupCache.read(b).items()) == {(1, 2): {3: 2}}


def test_statistics_are_the_answer(tmp_path, text, capsys):
    create("-f", text, "-lcs", str(tmp_path / "static"))
    capsys.readouterr()
    stats("-f", text, "-c", "64", "-lcs", str(tmp_path / "static"), "--draft-max", "5")
    tokens = encode(TEXT.removesuffix("\n"))
    trial = measure.stats(tokens, 64, 5, static=tmp_path / "static")
    streams = capsys.readouterr()
    shown = dict(line.split(" = ") for line in streams.out.replace("  ", " ").replace("  ", " ").splitlines())
    shown = {key.strip(): value for key, value in shown.items()}
    assert streams.err == ""
    assert trial.n_accept > 0
    assert (shown["n_draft"], shown["n_accept"], shown["n_drafted"]) == (
        "5", str(trial.n_accept), str(trial.n_drafted),
    )  # fmt: skip
    stats("-f", text, "-c", "64", "-lcs", str(tmp_path / "static"), "--draft-max", "5", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["n_draft"], found["n_accept"], found["accept"]) == (5, trial.n_accept, trial.rate)


@pytest.mark.parametrize(("mode", "ties"), [("own", False), ("reference", True), ("old", True)])
def test_ties_are_broken_as_was_asked(text, monkeypatch, mode, ties):
    seen = []
    tried = measure.stats
    monkeypatch.setattr(measure, "stats", lambda *words, **more: seen.append(more) or tried(*words, **more))
    stats("-f", text, "-c", "64", "--spec-compat", mode)
    assert [more["table_ties"] for more in seen] == [ties]


def test_marks_in_a_text_are_special_tokens(tmp_path):
    with GGUFFile(MODEL) as file:
        words = Tokenizer.from_metadata(file.metadata)
    mark = words.decode([words.eos], special=True).decode()
    create("-p", f"a{mark}b{mark}a", "-lcs", str(tmp_path / "x"))
    assert any(words.eos in run for run, _ in LookupCache.read(tmp_path / "x").items())


def test_statistics_change_no_file(tmp_path, text):
    dynamic = tmp_path / "dynamic"
    stats("-f", text, "-c", "64", "-lcd", str(dynamic))
    assert not dynamic.exists()


def test_a_text_shorter_than_a_chunk_is_told(text, capsys):
    stats("-f", text)
    streams = capsys.readouterr()
    assert "-c makes chunks smaller" in streams.err
    assert "n_drafted    = 0" in streams.out


def test_what_is_missing_is_said(text, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="needs a file to write"):
        create("-f", text)
    with pytest.raises(UsageError, match="no model"):
        lookup.create(parse(LOOKUP_CREATE, ["-f", text, "-lcs", "x"], {}, ()))
    with pytest.raises(UsageError, match="empty"):
        create("-p", "", "-lcs", str(tmp_path / "x"))
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="no text"):
        create("-lcs", str(tmp_path / "x"))
    for words in ((), ("a",)):
        with pytest.raises(UsageError, match="one to write"):
            merge(*words)
    assert list(tmp_path.glob("x*")) == []


@pytest.mark.parametrize("content", [b"\x00\x01", b"abc\xff", b"a\0b"])
def test_files_that_are_no_text(tmp_path, content):
    path = tmp_path / "x"
    path.write_bytes(content)
    for verb in (create, stats):
        with pytest.raises(LlamaspecError, match="not a text file"):
            verb("-f", str(path), "-lcs", str(tmp_path / "y"))
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize("content", [b"\0" * 30, b"\1\0\0\0" * 6])
def test_files_that_are_no_caches(tmp_path, text, content):
    bad, out = tmp_path / "bad", tmp_path / "out"
    bad.write_bytes(content)
    with pytest.raises(LlamaspecError, match="not a lookup cache"):
        merge(str(bad), str(out))
    for flag in ("-lcs", "-lcd"):
        with pytest.raises(LlamaspecError, match="not a lookup cache"):
            stats("-f", text, "-c", "64", flag, str(bad))
    assert not out.exists()


def test_files_of_another_tokenizer(tmp_path, text):
    measure.create([1, 2, 10**6]).write(tmp_path / "a")
    with pytest.raises(LlamaspecError, match="has only"):
        stats("-f", text, "-c", "64", "-lcs", str(tmp_path / "a"))


def test_a_folder_that_is_not_there(tmp_path, text):
    with pytest.raises(LlamaspecError, match="cannot write"):
        create("-f", text, "-lcs", str(tmp_path / "no" / "x"))


def test_flags_of_llama_cpps_scripts_are_accepted(tmp_path, text):
    assert create("-f", text, "-lcs", str(tmp_path / "x"), "-ngl", "99", "-t", "4", "-c", "512") == 0


def test_the_verbs(llamaspec, tmp_path, text):
    out = str(tmp_path / "x")
    done = llamaspec("lookup-create", "-m", MODEL, "-f", text, "-lcs", out)
    assert (done.returncode, done.stdout) == (0, "")
    assert llamaspec("lookup-merge", out, f"{out}2").returncode == 0
    done = llamaspec("lookup-stats", "-m", MODEL, "-f", text, "-c", "64", "-lcs", f"{out}2")
    assert done.returncode == 0
    assert done.stdout.startswith("n_draft      = 3\n")
    done = llamaspec("lookup-merge", f"{out}9", out)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("hint: ")
