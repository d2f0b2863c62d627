"""A model's passes on the CPU in steady state: this checkout, another one and llama.cpp on the same file, in turns.

    python scripts/bench/cpu_passes.py [MODEL ...] [--before CHECKOUT] [--peer PYTHON] [--log FILE.jsonl]
                                       [--rows 1,2,4,8,16] [--seconds 0.5] [--minutes 11] [--rounds 0] [--context 64]

A model is a file, a name of scripts/models.py (which downloads it), or SHAPE:MIX of synthetic.py, written to --folder
if it is not there; without models, all of MODELS. --before: another checkout of llamaspec with its native library
built. --peer: a Python that has llama-cpp-python. Each engine is a process of its own (cpu_server.py) that holds the
model and is blocked while another one runs.

A burst is passes back to back for --seconds, without rests, after one that does not count; its figure is the median of
its passes. In a round every engine has a burst at every width, the engines one after the other at the same width, the
first of them another one each round. Between bursts everything pauses for --pause, since llama.cpp's threads (OpenMP)
go on spinning for some milliseconds after a pass, into the passes of whoever comes next. Logits are computed of all
rows in all engines; widths above 64 are prompts, with logits of the last row only.

Over the bursts: median (lowest, highest), the best, and the ratios other / this checkout in time, taken burst by burst
within a round, and of the bests; above 1 this checkout is faster. Also measured: memory that loading takes beyond
`import numpy` (`import torch` of a checkout that needs it), against 1.1 times the file and the cache; memory of the
whole process, against 90 MB more than that; and the share of a pass of one row that is spent outside the native
library. One JSON line per result goes to --log; tables come last (also: cpu_table.py FILE.jsonl).

All together takes at most --minutes (rounds are as many as fit) on a machine that does nothing else: see `load`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import models
import synthetic
from cpu import ROOT, keep
from cpu_table import NOW, tables

MODELS = (
    "qwen3-4b:Q4_K_M", "llama-3.2-1b:Q4_K_M", "qwen2.5-0.5b:Q8_0", "qwen2.5-0.5b:Q4_0", "smollm2-135m", "gemma-3-270m",
    "mixtral-like:Q4_K", "qwen3-30b-a3b-like:Q4_K",
)  # fmt: skip
"""The slowest first: what it takes beyond its share of the time, the others give."""
PROGRAM = 90_000_000
"""Bytes that Python, its libraries and ours may take besides a model (issue L)."""
FEWEST = 3
"""Rounds, however short the time."""


class Engine:
    """A process that runs passes of one model when it is asked to."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about: dict[str, Any] = self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the process of '{self.name}' has ended")
        return json.loads(line)

    def ask(self, command: str, rows: int, seconds: float) -> Any:
        """What cpu_server.py says to `command`."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{command} {rows} {seconds}\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Its stdin, and it ends."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@dataclass
class Found:
    """Of one model: medians of the bursts in seconds, (engine, rows) -> one per round, and the passes outside C++."""

    bursts: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    passes: dict[tuple[str, int], int] = field(default_factory=dict)
    python: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, name: str, rows: int, times: Sequence[float]) -> None:
        """A burst."""
        self.bursts.setdefault((name, rows), []).append(median(times))
        self.passes[name, rows] = self.passes.get((name, rows), 0) + len(times)


def commands(path: Path, chosen: argparse.Namespace) -> dict[str, list[str]]:
    """Name of an engine -> how to start it on this model."""
    folder = Path(__file__).resolve().parent
    where = [str(path), str(chosen.threads), str(chosen.context)]
    own = [sys.executable, str(folder / "cpu_engine.py")]
    found = {NOW: [*own, str(ROOT), *where]}
    if chosen.before:
        found["before"] = [*own, str(chosen.before.resolve()), *where]
    if chosen.peer:
        found["llama.cpp"] = [chosen.peer, str(folder / "cpu_peer.py"), *where]
    return found


def started(path: Path, chosen: argparse.Namespace) -> list[Engine]:
    """The engines that can load the model; the others are named on stderr."""
    found = []
    for name, command in commands(path, chosen).items():
        engine = Engine(name, command)
        if "error" in engine.about:
            print(f"{name}: {engine.about['error']}", file=sys.stderr)
            engine.close()
        else:
            found.append(engine)
    return found


def measure(engines: Sequence[Engine], chosen: argparse.Namespace, until: float) -> Found:
    """Rounds until the clock says so or there are --rounds of them; never less than FEWEST, or --rounds.

    One burst of each engine comes before them: what loading left to do is done in it.
    """
    found = Found()
    for engine in engines:
        engine.ask("burst", chosen.rows[0], chosen.seconds)
    start = monotonic()
    for done in count():
        average = (monotonic() - start) / max(done, 1)
        enough = done >= chosen.rounds if chosen.rounds else done >= FEWEST and monotonic() + average > until
        if enough:
            return found
        turn = done % len(engines)
        order = [*engines[turn:], *engines[:turn]]
        for rows in chosen.rows:
            for engine in order:
                sleep(chosen.pause)
                found.add(engine.name, rows, engine.ask("burst", rows, chosen.seconds))
        for engine in order:
            if engine.name != "llama.cpp":
                sleep(chosen.pause)
                found.python.setdefault(engine.name, []).append(_python(engine, chosen.seconds))
    raise AssertionError("rounds are counted without end")


def _python(engine: Engine, seconds: float) -> tuple[float, float]:
    """Medians over a burst of one row: seconds outside the native library, and their share of a pass."""
    passes = engine.ask("python", 1, seconds)
    return median(outside for outside, _ in passes), median(outside / whole for outside, whole in passes)


def spread(values: Sequence[float], digits: int) -> list[float]:
    """Median, lowest, highest."""
    return [round(x, digits) for x in (median(values), min(values), max(values))]


def pass_lines(found: Found, rows: Sequence[int]) -> Iterator[dict[str, Any]]:
    """One line per width."""
    names = list(dict.fromkeys(name for name, _ in found.bursts))
    for m in rows:
        times = {name: found.bursts[name, m] for name in names}
        line: dict[str, Any] = {"bench": "passes", "rows": m, "bursts": len(times[names[0]])}
        line["passes"] = {name: found.passes[name, m] for name in names}
        line["ms"] = {name: spread([1e3 * t for t in of], 4) for name, of in times.items()}
        line["t1"] = {name: round(min(of) / min(found.bursts[name, rows[0]]), 3) for name, of in times.items()}
        others = [name for name in names if name != NOW] if NOW in names else []
        line["ratio"] = {
            name: spread([b / a for a, b in zip(times[NOW], times[name], strict=True)], 3) for name in others
        }
        line["best_ratio"] = {name: round(min(times[name]) / min(times[NOW]), 3) for name in others}
        yield line


def other_lines(engines: Sequence[Engine], found: Found) -> Iterator[dict[str, Any]]:
    """What a model takes of memory, and of Python's time."""
    for engine in engines:
        memory, file, cache = engine.about["memory"], engine.about["file_bytes"], engine.about.get("cache_bytes", 0)
        if memory["imported"]:
            yield {
                "bench": "memory", "engine": engine.name, "file": file, "cache": cache,
                "load_s": engine.about["load_s"],
                "resident": memory["loaded"]["resident"] - memory["imported"]["resident"],
                "peak": memory["loaded"]["peak"] - memory["imported"]["resident"],
                "mapped": memory["loaded"]["mapped"] - memory["imported"]["mapped"],
                "program": memory["program"]["resident"] - memory["imported"]["resident"],
                "limit": int(1.1 * file) + cache,
                "all": memory["loaded"]["peak"], "all_limit": int(1.1 * file) + cache + PROGRAM,
            }  # fmt: skip
    for name, bursts in found.python.items():
        outside, share = zip(*bursts, strict=True)
        yield {
            "bench": "python", "engine": name, "rows": 1, "us": spread([1e6 * x for x in outside], 1),
            "share": spread(share, 4),
        }  # fmt: skip


@contextmanager
def busy_core() -> Iterator[None]:
    """A process that computes on the last core."""
    core = max(os.sched_getaffinity(0))
    process = subprocess.Popen([sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile 1: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def known() -> str:
    """What can be measured."""
    real, shapes, mixes = (", ".join(of) for of in ((m.name for m in models.MODELS), synthetic.SHAPES, synthetic.MIXES))
    return f"real models: {real}; shapes: {shapes}; mixes: {mixes}"


def model_file(name: str, folder: Path) -> Path | None:
    """A file that is there; None for a real model that was not downloaded, named on stderr."""
    for real in models.MODELS:
        if real.name == name:
            path = models.default_folder() / real.file
            if path.exists():
                return path
            print(f"{name} is left out: get it with scripts/models.py {name}", file=sys.stderr)
            return None
    shape, _, mix = name.partition(":")
    if Path(name).exists():
        return Path(name)
    if shape not in synthetic.SHAPES or mix not in synthetic.MIXES:
        raise SystemExit(f"error: {name} is no file, no real model and no SHAPE:MIX\nhint: {known()}")
    path = folder / f"{shape}-{mix}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        synthetic.write(path, synthetic.Source(synthetic.SHAPES[shape], mix))
    return path


def run(path: Path, chosen: argparse.Namespace, until: float) -> list[dict[str, Any]]:
    """All results of one model."""
    engines = started(path, chosen)
    try:
        if not engines:
            return []
        with busy_core() if chosen.busy else nullcontext():
            found = measure(engines, chosen, until)
        shared = {"model": path.name, "context": chosen.context, "threads": chosen.threads, "busy": chosen.busy}
        shared |= {"seconds": chosen.seconds, "omp": os.environ.get("OMP_WAIT_POLICY", "")}
        shared["engines"] = {engine.name: [engine.about["commit"], engine.about["isa"]] for engine in engines}
        lines = [*pass_lines(found, chosen.rows), *other_lines(engines, found)]
        return [{**line, **shared} for line in lines]
    finally:
        for engine in engines:
            engine.close()


def chosen_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--peer")
    parser.add_argument("--rows", type=lambda text: [int(m) for m in text.split(",")], default=[1, 2, 4, 8, 16])
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--pause", type=float, default=0.1)
    parser.add_argument("--minutes", type=float, default=11.0)
    parser.add_argument("--rounds", type=int, default=0, help="of each model; 0 = what the minutes allow")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--busy", action="store_true", help="a process computes on the last core all the time")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "llamaspec-bench")
    parser.add_argument("--log", type=Path)
    return parser.parse_args()


def main() -> None:
    """Measure model by model, append to the log as results come, and print the tables."""
    chosen = chosen_options()
    start = monotonic()
    paths = [path for name in chosen.models if (path := model_file(name, chosen.folder))]
    lines: list[dict[str, Any]] = []
    for i, path in enumerate(paths):
        now = monotonic()
        until = now + (start + 60 * chosen.minutes - now) / (len(paths) - i)
        found = run(path, chosen, until)
        for line in found:
            keep(line, chosen.log)
        lines += found
        print(f"{path.name}: {monotonic() - now:.0f} s", file=sys.stderr)
    print(tables(lines))


if __name__ == "__main__":
    main()
