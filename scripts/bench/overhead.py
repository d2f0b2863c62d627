"""What Python costs per token: the time of a decode step less the time inside the native library.

    python scripts/bench/overhead.py [model.gguf ...] [--rows 1] [--runs 40] [--log scripts/bench/overhead.jsonl]

Without files: the demo pair, and a synthetic model of Qwen2.5-0.5B's shape in Q4_0. A pass is `Runner.decode`; a step
is `Loop.step`, which also samples (greedily) and commits. Of every run of 20 the smallest overhead counts: on a shared
machine the rest is other people's work. Printed are the median of these minima and their 10th and 90th percentile. The
clock around each native call costs `clock` microseconds, which are taken off. cpu_passes.py measures the passes of
models of all sizes in steady state; this is for work on the loop.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from cpu import spread
from native_clock import NativeClock

import llamaspec
from llamaspec.engine.llm import LLM
from llamaspec.engine.slots import Running
from llamaspec.kernels.native.library import library
from llamaspec.network.runner import Branch
from llamaspec.sampling.chain import Chain
from llamaspec.sampling.params import SamplerParams

ROOT = Path(__file__).resolve().parents[2]
STEPS = 20
PROMPT = 100


def work(llm: LLM, rows: int) -> dict[str, Callable[[], object]]:
    """A decode pass, and a step of the loop that leaves no trace."""
    llm.target.cache.truncate(0, 0)
    tokens = [7 * i % 100 + 5 for i in range(PROMPT + 1)]
    for _ in llm.target.read(0, tokens[:-1]):
        pass
    branch = Branch(0, tokens[:rows], range(-1, rows - 2))
    slot = Running(0, tokens)
    slot.start(Chain.build(SamplerParams(temp=0.0)), 1, -1, frozenset())

    def step() -> None:
        llm.session.loop.step([slot])
        llm.target.cache.truncate(0, PROMPT)
        del slot.tokens[PROMPT + 1 :]

    jobs: dict[str, Callable[[], object]] = {"pass": lambda: llm.target.decode([branch])}
    return jobs if rows > 1 else {**jobs, "step": step}


def smallest(job: Callable[[], object], clock: NativeClock) -> tuple[float, float]:
    """Of a run: the smallest overhead, and the smallest time of a whole step, in microseconds."""
    overheads, wholes = [], []
    for _ in range(STEPS):
        clock.reset()
        start = perf_counter()
        job()
        whole = perf_counter() - start - clock.calls * clock.cost
        overheads.append(whole - clock.seconds)
        wholes.append(whole)
    return min(overheads) * 1e6, min(wholes) * 1e6


def measure(path: Path, rows: int, runs: int) -> list[dict[str, Any]]:
    """One line per job."""
    llm = llamaspec.load(str(path), ctx_size=512, temp=0.0)
    clock, lines = NativeClock(library()), []
    with llm.target.model.kernels.computing():
        for name, job in work(llm, rows).items():
            with clock.running():
                found = [smallest(job, clock) for _ in range(runs)]
            overheads, best = [one for one, _ in found], min(whole for _, whole in found)
            lines.append({
                "model": path.name, "layers": llm.target.model.hparams.n_layer, "rows": rows, "job": name,
                "us": spread(overheads), "step_us": round(best), "share": round(min(overheads) / best, 4),
                "clock_us": round(clock.cost * 1e6, 2),
            })  # fmt: skip
    return lines


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--log", type=Path)
    chosen = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    about = {"commit": commit.strip(), "machine": platform.machine(), "numpy": np.__version__}
    with tempfile.TemporaryDirectory() as folder:
        models = chosen.models or [llamaspec.demo.target(), llamaspec.demo.draft(), synthetic(Path(folder))]
        for path in models:
            for line in measure(path, chosen.rows, chosen.runs):
                print(json.dumps(line), flush=True)
                if chosen.log:
                    with chosen.log.open("a") as log:
                        log.write(json.dumps({**line, **about}) + "\n")


def synthetic(folder: Path) -> Path:
    """24 layers of 896, Q4_0, random weights."""
    path = folder / "qwen2.5-0.5b-q4_0.gguf"
    script = str(Path(__file__).with_name("synthetic.py"))
    subprocess.run([sys.executable, script, "qwen2.5-0.5b", "Q4_0", str(path)], check=True)
    return path


if __name__ == "__main__":
    main()
