"""The benchmark of passes: what is counted, what is compared with what, and that it runs from end to end."""

import json
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import cpu_passes
import cpu_server
import cpu_table
import pytest
from cpu_passes import Found, model_file, other_lines, pass_lines
from native_clock import NativeClock

from llamaspec.kernels import native

ROOT = Path(__file__).resolve().parents[2]
PEER = f"""#!{sys.executable}
import json, sys
memory = {{"resident": 1000, "peak": 1000, "mapped": 0}}
about = {{"commit": "peer 1", "isa": "any", "file_bytes": 500, "load_s": 2.0}}
about["memory"] = {{"imported": memory, "program": memory, "loaded": {{"resident": 1800, "peak": 2500, "mapped": 9}}}}
print(json.dumps(about), flush=True)
for line in sys.stdin:
    name, rows, seconds = line.split()
    print(json.dumps([float(rows)] * 3), flush=True)
"""


def test_the_first_pass_of_a_burst_does_not_count_and_three_always_do():
    passes = iter([9.0, 1.0, 2.0, 3.0, 4.0])
    assert cpu_server.burst(lambda: next(passes), 0.0) == [1.0, 2.0, 3.0]


def test_ratios_are_taken_burst_by_burst_and_of_the_bests():
    found = Found()
    for now, other in ((1.0, 3.0), (2.0, 2.0), (4.0, 12.0)):
        found.add("now", 1, [9.0, now, 0.1])
        found.add("llama.cpp", 1, [other] * 3)
        found.add("now", 4, [2 * now] * 3)
        found.add("llama.cpp", 4, [other] * 3)
    one, four = pass_lines(found, [1, 4])
    assert one["ms"] == {"now": [2000.0, 1000.0, 4000.0], "llama.cpp": [3000.0, 2000.0, 12000.0]}
    assert one["ratio"] == {"llama.cpp": [3.0, 1.0, 3.0]}
    assert one["best_ratio"] == {"llama.cpp": 2.0}
    assert (one["bursts"], one["passes"]) == (3, {"now": 9, "llama.cpp": 9})
    assert four["t1"] == {"now": 2.0, "llama.cpp": 1.0}


def test_an_engine_alone_has_no_ratios():
    found = Found()
    found.add("llama.cpp", 1, [1.0])
    (line,) = pass_lines(found, [1])
    assert line["ratio"] == line["best_ratio"] == {}


def test_memory_counts_beyond_the_import_and_against_file_and_cache():
    memory = {
        "imported": {"resident": 100, "peak": 900, "mapped": 10},
        "program": {"resident": 130, "peak": 900, "mapped": 10},
        "loaded": {"resident": 400, "peak": 700, "mapped": 60},
    }
    engine = SimpleNamespace(name="now", about={"memory": memory, "file_bytes": 200, "cache_bytes": 30, "load_s": 1.0})
    (line,) = other_lines([engine], Found())
    assert (line["resident"], line["peak"], line["mapped"], line["program"], line["limit"]) == (300, 600, 50, 30, 250)
    assert (line["all"], line["all_limit"]) == (700, 250 + 90_000_000)


def test_the_native_clock_counts_every_function_and_leaves_none_behind():
    class Library:
        def __init__(self):
            self.sleep, self.version = (lambda x: x + 1), 4

    library = Library()
    plain, clock = library.sleep, NativeClock(library)
    with clock.running():
        assert library.sleep(1) == 2
        assert library.sleep(2) == 3
    assert clock.calls == 2
    assert clock.seconds > 0
    assert library.sleep is plain
    assert library.version == 4


def test_a_model_that_nobody_knows_is_an_error_that_names_those_there_are(tmp_path):
    with pytest.raises(SystemExit, match=r"hint: real models: smollm2-135m.*toy-experts.*Q4_K_M"):
        model_file("toy:Q9", tmp_path)


def test_a_real_model_that_was_not_downloaded_is_left_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LLAMASPEC_MODELS", str(tmp_path))
    assert model_file("smollm2-135m", tmp_path) is None
    assert "scripts/models.py smollm2-135m" in capsys.readouterr().err


@pytest.mark.skipif(not native.available(), reason=native.why_not())
def test_three_engines_in_turns(tmp_path, monkeypatch, capsys):
    """Twice the same checkout, and a peer whose passes take as many seconds as they have rows."""
    peer, log = tmp_path / "peer", tmp_path / "log.jsonl"
    peer.write_text(PEER)
    peer.chmod(peer.stat().st_mode | stat.S_IXUSR)
    words = ["toy:Q4_K_M", "--rows", "1,4", "--rounds", "2", "--seconds", "0.01", "--pause", "0", "--log", log]
    words += ["--folder", tmp_path, "--before", ROOT, "--peer", peer]
    monkeypatch.setattr(sys, "argv", ["cpu_passes.py", *map(str, words)])
    cpu_passes.main()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(line["commit"] and line["isa"] and line["cpu"] for line in lines)
    one, four = (line for line in lines if line["bench"] == "passes")
    assert one["engines"]["before"] == one["engines"]["now"]
    assert one["ms"]["llama.cpp"] == [1000.0, 1000.0, 1000.0]
    assert four["ms"]["llama.cpp"][0] / four["ms"]["now"][1] == pytest.approx(four["best_ratio"]["llama.cpp"], rel=0.01)
    assert four["bursts"] == 2
    assert min(four["passes"].values()) >= 6
    memory = {line["engine"]: line for line in lines if line["bench"] == "memory"}
    assert memory["llama.cpp"]["peak"] == 1500
    assert memory["now"]["file"] == (tmp_path / "toy-Q4_K_M.gguf").stat().st_size
    assert memory["now"]["limit"] > memory["now"]["cache"] > 0
    assert 0 < memory["now"]["resident"] <= memory["now"]["peak"]
    python = {line["engine"]: line for line in lines if line["bench"] == "python"}
    assert python.keys() == {"now", "before"}
    assert all(0 < line["share"][0] < 1 for line in python.values())
    assert capsys.readouterr().out.strip() == cpu_table.tables(lines)


@pytest.mark.skipif(not native.available(), reason=native.why_not())
def test_an_engine_that_cannot_load_a_model_says_why(tmp_path, monkeypatch, capsys):
    (tmp_path / "bad.gguf").write_bytes(b"no model")
    monkeypatch.setattr(sys, "argv", ["cpu_passes.py", str(tmp_path / "bad.gguf"), "--rounds", "1"])
    cpu_passes.main()
    said = capsys.readouterr()
    assert said.err.startswith("now: ")
    assert "bad.gguf" in said.err
    assert " ms" not in said.out
