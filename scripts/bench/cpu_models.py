"""A model's passes on the CPU beside llama.cpp's on the same file, at several widths, in turns.

    python scripts/bench/cpu_models.py --peer /path/to/python-with-llama_cpp llama-3.2-1b:Q4_K_M model.gguf ...
                                       [--rows 1,2,4,8,16,32,512] [--rounds 20] [--threads 2] [--log FILE] [--busy]
                                       [--context 64]

A model is a file, or SHAPE:MIX of synthetic.py, which is written to --folder if it is not there. A round is one pass of
each engine at every width on a context, ours and theirs alternating; widths above 64 are prompts (logits
of the last row only). Printed per width: median, 10th and 90th percentile of the rate in rows per second of both, of
the ratio ours / theirs (pass by pass), and the median time relative to one row. Before each pass both rest: llama.cpp's
threads go on spinning for some milliseconds. --busy: another process computes on the last core all the time.
`OMP_WAIT_POLICY` in the environment reaches the peer, and is logged.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import synthetic
import torch
from cpu import keep, spread

import llamaspec
from llamaspec.network.runner import Branch

REST = 0.05
"""Seconds before a pass."""


class Ours:
    """This engine."""

    def __init__(self, path: Path, threads: int, context: int) -> None:
        self.context = context
        self.passes = llamaspec.load(str(path), ctx_size=context + 1024, temp=0.0, threads=threads).target
        for _ in self.passes.read(0, [7 * i % 100 + 5 for i in range(context)]):
            pass

    def seconds(self, rows: int) -> float:
        """Of one pass."""
        tokens = [7 * i % 100 + 5 for i in range(rows)]
        start = perf_counter()
        if rows > 64:
            for _ in self.passes.read(0, tokens[:-1]):
                pass
            self.passes.decode([Branch(0, tokens[-1:])])
        else:
            self.passes.decode([Branch(0, tokens, range(-1, rows - 2))])
        taken = perf_counter() - start
        self.passes.cache.truncate(0, self.context)
        return taken


class Theirs:
    """llama.cpp in a process of its own."""

    def __init__(self, python: str, path: Path, threads: int, context: int) -> None:
        script = str(Path(__file__).with_name("cpu_peer.py"))
        self.process = subprocess.Popen(
            [python, script, str(path), str(threads), str(context)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.system = self._answer().removeprefix("ready").strip()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the peer has ended")
        return line.strip()

    def seconds(self, rows: int) -> float:
        """Of one pass."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{rows}\n")
        self.process.stdin.flush()
        return float(self._answer())


@contextmanager
def busy_core() -> Iterator[None]:
    """A process that computes on the last core."""
    core = max(os.sched_getaffinity(0))
    loop = f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", loop])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def rested(engine: Ours | Theirs, rows: int) -> float:
    """Seconds of a pass."""
    sleep(REST)
    return engine.seconds(rows)


def model_file(name: str, folder: Path) -> Path:
    """A file that is there."""
    shape, _, mix = name.partition(":")
    if not mix:
        return Path(name)
    path = folder / f"{shape}-{mix}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        synthetic.write(path, synthetic.Source(synthetic.SHAPES[shape], mix))
    return path


def measure(path: Path, widths: Sequence[int], chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """One line per width."""
    where = (path, chosen.threads, chosen.context)
    ours, theirs = Ours(*where), Theirs(chosen.peer, *where) if chosen.peer else None
    found: dict[int, list[tuple[float, float]]] = {m: [] for m in widths}
    with torch.inference_mode():
        for _ in range(chosen.rounds):
            for m in widths:
                found[m].append((rested(ours, m), rested(theirs, m) if theirs else float("nan")))
    lines = []
    for m in widths:
        line: dict[str, Any] = {"model": path.name, "rows": m, "context": chosen.context}
        line |= {"threads": chosen.threads, "rounds": chosen.rounds}
        line["ours_t_s"] = spread([m / a for a, _ in found[m]])
        pairs = zip(found[m], found[widths[0]], strict=True)
        line["t1"] = round(statistics.median(a / b for (a, _), (b, _) in pairs), 3)
        if theirs:
            line["peer_t_s"] = spread([m / b for _, b in found[m]])
            line["ratio"] = spread([b / a for a, b in found[m]], 3)
            line["peer"] = theirs.system
        lines.append(line)
    if theirs and theirs.process.stdin:
        theirs.process.stdin.close()
        theirs.process.wait()
    return lines


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--peer")
    parser.add_argument("--rows", default="1,2,4,8,16,32,512")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "llamaspec-bench")
    parser.add_argument("--busy", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    widths = [int(m) for m in chosen.rows.split(",")]
    for path in [model_file(name, chosen.folder) for name in chosen.models]:
        with busy_core() if chosen.busy else nullcontext():
            lines = measure(path, widths, chosen)
        for line in lines:
            line |= {"busy": chosen.busy, "omp": os.environ.get("OMP_WAIT_POLICY", "")}
            print(json.dumps({k: v for k, v in line.items() if k != "peer"}), flush=True)
            keep(line, chosen.log)


if __name__ == "__main__":
    main()
