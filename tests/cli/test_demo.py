"""The demo chooses its models by what was said."""

import pytest

from llamaspec import demo as embedded
from llamaspec.cli import demo as module
from llamaspec.engine.events import Completion
from llamaspec.options import DEMO, parse

from . import fake


@pytest.fixture(autouse=True)
def _paths(monkeypatch):
    monkeypatch.setattr(embedded, "target", lambda: "t.gguf")
    monkeypatch.setattr(embedded, "draft", lambda: "d.gguf")


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("", ("t.gguf", "d.gguf")),
        ("--spec-type none", ("t.gguf", "")),
        ("--spec-type ngram-mod", ("t.gguf", "")),
        ("--spec-type ngram-mod,draft-simple -md x", ("t.gguf", "x")),
        ("--spec-type auto", ("t.gguf", "d.gguf")),
        ("-m x", ("x", "")),
        ("-md x", ("t.gguf", "x")),
    ],
)
def test_the_pair(line, files):
    groups = module.paired(parse(DEMO, line.split(), {}, ()))
    assert (groups.model.model, groups.model.model_draft) == files


@pytest.mark.parametrize(("tokens", "code", "word"), [([2, 3], 0, "are identical"), ([2], 1, "are NOT identical")])
def test_the_comparison_tells_the_truth(monkeypatch, capsys, tokens, code, word):
    class Parrot(fake.Parrot):
        def complete(self, prompt, **words):
            return Completion("x", tokens, "limit", fake.TIMINGS)

    monkeypatch.setattr(module, "load", lambda groups, quiet=False: Parrot(groups))
    assert module.demo(parse(DEMO, [], {}, ())) == code
    streams = capsys.readouterr()
    assert streams.out == module.PROMPT.upper() + "\n"
    assert f"the tokens {word}" in streams.err
    assert "1.00 times as fast" in streams.err


def test_a_prompt_makes_it_an_ordinary_run(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(module, "run", lambda groups: seen.append(groups) or 0)
    assert module.demo(parse(DEMO, ["-p", "hi"], {}, ())) == 0
    assert seen[0].chat.prompt == "hi"
    assert seen[0].model.model == "t.gguf"
