"""What a terminal shows while a model is loaded."""

import pytest

import llamaspec
from llamaspec.cli import loading, terminal
from llamaspec.engine.llm import LLM
from llamaspec.options.keywords import from_keywords

GIB = 2**30


@pytest.fixture
def lines(monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(terminal, "status", shown.append)
    return shown


def test_a_bar_from_half_a_second_on_ten_times_a_second(lines):
    times = iter([0.0, 0.2, 0.49, 0.5, 0.55, 0.61, 2.0])
    watch = loading.Loading("m.gguf", True, lambda: next(times))
    for quarter in (1, 1, 1, 2, 2, 4):
        watch(quarter * GIB, 4 * GIB)
    assert lines[0] == "loading m.gguf …"
    assert lines[1] == "loading m.gguf █████░░░░░░░░░░░░░░░ 25% of 4.0 GiB, 2.0 GiB/s"
    assert len(lines) == 4
    assert lines[3] == "loading m.gguf ████████████████████ 100% of 4.0 GiB, 2.0 GiB/s"


def test_nothing_where_nothing_is_wanted(lines):
    times = iter(range(9))
    loading.Loading("m.gguf", False, lambda: next(times))(1, 2)
    assert lines == []


def test_a_model_tells_all_of_its_bytes():
    told: list[tuple[int, int]] = []

    def watch(done: int, total: int) -> None:
        told.append((done, total))

    llm = LLM(from_keywords(llamaspec.demo.target(), device="cpu", ctx_size=64), watch=watch)
    total = sum(info.n_bytes for info in llm.file.tensors.values())
    assert {of for _, of in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == total
