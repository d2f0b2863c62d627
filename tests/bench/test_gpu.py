"""The GPU benchmark runs from end to end on a CPU, and reads what its peers print."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from gpu import peer
from gpu.results import Place, Sink, milliseconds

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "bench" / "gpu.py"
BENCH = [
    {"n_prompt": 1, "n_gen": 0, "avg_ns": 2_000_000, "stddev_ns": 10_000, "avg_ts": 500.0, "stddev_ts": 1.0},
    {"n_prompt": 8, "n_gen": 0, "avg_ns": 6_000_000, "stddev_ns": 10_000, "avg_ts": 1333.0, "stddev_ts": 1.0},
    {"n_prompt": 0, "n_gen": 128, "avg_ns": 256_000_000, "stddev_ns": 10_000, "avg_ts": 500.0, "stddev_ts": 2.0},
]
SPECULATED = """
encoded   13 tokens in    0.020 seconds, speed:  650.000 t/s
decoded  257 tokens in    0.400 seconds, speed:  642.500 t/s
n_drafted = 300
n_accept  = 201
accept    = 67.000%
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), "--device", "cpu", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)


@pytest.fixture
def peers(tmp_path) -> Path:
    """Programs that answer like llama.cpp's, the faster the longer the draft, up to 4."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, body in (
        ("llama-bench", f"print({json.dumps(BENCH)!r})"),
        ("llama-speculative-simple", f"print({SPECULATED!r}, file=sys.stderr)"),
    ):
        path = folder / name
        path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


def test_every_stage_runs_at_toy_shapes(tmp_path, peers):
    out = tmp_path / "gpu.jsonl"
    out.write_text('{"stage": "before", "name": "kept", "value": 1, "unit": ""}\n')
    done = run("--stage", "all", "--toy", "--out", str(out), "--peer-bin", str(peers))
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows[0]["stage"] == "before"
    assert all(row["toy"] and row["device"] == "cpu" for row in rows[1:])
    by_name = {row["name"]: row for row in rows}
    assert {row["stage"] for row in rows[1:]} == {"ceilings", "decode", "speculation", "peer", "equality"}
    for name in ("gap between graph nodes", "host sync (.item)", "toy T(1), 64 tokens", "toy T(64), 64 tokens"):
        assert by_name[name]["value"] > 0
    assert by_name["differing tokens in all"]["value"] == 0
    assert by_name["differing tokens in all"]["of"] > 100
    assert by_name["rows whose bits depend on their company"]["value"] == 0
    assert by_name["llama.cpp toy T(8)"]["ratio"] == 3.0
    assert by_name["llama.cpp toy speculation, best"]["value"] == 642.5
    assert by_name["llama.cpp toy speculation, best"]["epsilon"] == by_name["toy epsilon"]["value"]
    assert 0 < by_name["toy epsilon"]["measured"] <= 1
    for row in rows[1:]:
        assert row["name"] in done.stdout
        assert row["value"] is not None or row["why"]


def test_without_a_gpu_only_toys_run():
    done = run("--stage", "decode")
    assert done.returncode == 2
    assert "only --toy" in done.stderr


def test_what_the_peers_print_is_read():
    rows = peer.bench_rows(json.dumps(BENCH))
    assert [(row["name"], row["value"], row["unit"]) for row in rows] == [
        ("T(1)", 2.0, "ms"), ("T(8)", 6.0, "ms"), ("tg128", 500.0, "t/s"),
    ]  # fmt: skip
    assert peer.speculative_row(SPECULATED) == {"value": 642.5, "accepted": 0.67}
    assert peer.speculative_row("error: failed to load model") == {}


def test_a_peer_that_fails_is_a_row_that_says_why(tmp_path):
    sink = Sink(tmp_path / "out", {})
    broken = tmp_path / "llama-bench"
    broken.write_text("#!/bin/sh\necho no such device >&2; exit 3\n")
    broken.chmod(0o755)
    assert peer._output(sink, [str(broken)]) is None
    assert "no such device" in sink.rows[0]["why"]
    assert peer.build(Place(torch.device("cpu"), True, tmp_path), sink, tmp_path / "nothing") is None
    assert sink.rows[1]["value"] is None
    assert "not measured" in sink.table()


def test_the_median_is_of_the_runs_after_warming_up(tmp_path):
    calls = []
    ms, spread = milliseconds(Place(torch.device("cpu"), True, tmp_path), lambda: calls.append(1), 5, warm=2)
    assert len(calls) == 7
    assert ms >= 0
    assert spread >= 0
