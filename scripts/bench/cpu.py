"""The native kernels against the machine: what a packed product reads and multiplies per second at several widths.

    python scripts/bench/cpu.py [--types Q4_K,Q8_0] [--rows 1,2,4,8,12,16,32] [--shape 8192x2048] [--megabytes 600]
                                [--threads 2] [--seconds 2] [--log scripts/bench/cpu.jsonl]

For each type, as many matrices as fill --megabytes are multiplied one after the other, so that they come from memory
and not from a cache. A round is one pass at every width and one plain read of the same bytes; rounds repeat for
--seconds per width. Printed per width: the median, best and 90th percentile time of a product in ms, gigabytes of
weights (as the file holds them) and 10^9 multiply-adds per second at the median, and, from the same rounds, the median
ratio to the time of one row (`t1`) and to that of the plain read (`of_read`: 0.8 = the product takes 1 / 0.8 of it).
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from llamaspec.kernels import native
from llamaspec.kernels.native.library import library
from llamaspec.kernels.native.packed import NUMBERS, Packed, supports
from llamaspec.kernels.native.threads import how_many
from llamaspec.weights.tensor import QuantizedTensor
from llamaspec.weights.types import BY_NAME

ROOT = Path(__file__).resolve().parents[2]


def matrices(kind: str, n: int, k: int, megabytes: int, threads: int) -> list[Packed]:
    """Of random levels; scales are zero or tiny, which costs the same."""
    row = library().row_bytes(NUMBERS[kind], k)
    count = max(1, megabytes * 1_000_000 // (n * row))
    data = np.random.default_rng(1).integers(0, 64, (n, row), np.uint8)
    if BY_NAME[kind].elements == 1:
        data[:, BY_NAME[kind].bytes - 1 :: BY_NAME[kind].bytes] = 0x3C  # no subnormal numbers
    return [native.pack(QuantizedTensor(data, kind, (n, k), kind), threads) for _ in range(count)]


def once(packed: Sequence[Packed], x: np.ndarray, y: np.ndarray, threads: int) -> float:
    """Seconds for one product, over all matrices."""
    start = perf_counter()
    for matrix in packed:
        matrix.matmul(x, y, threads)
    return (perf_counter() - start) / len(packed)


def read(packed: Sequence[Packed], threads: int) -> float:
    """Seconds for reading the bytes of one packed matrix."""
    bytes_of = library().packed_bytes(packed[0].handle)
    start = perf_counter()
    for matrix in packed:
        library().read(library().packed_data(matrix.handle), bytes_of, threads)
    return (perf_counter() - start) / len(packed)


def measure(
    kind: str, shape: tuple[int, int], widths: Sequence[int], size: int, threads: int, seconds: float
) -> list[dict[str, Any]]:
    """One line per width. size: megabytes of weights."""
    n, k = shape
    random = np.random.default_rng(2)
    packed = matrices(kind, n, k, size, threads)
    jobs = {m: (random.standard_normal((m, k), np.float32), np.empty((m, n), np.float32)) for m in widths}
    rounds: list[dict[int, float]] = []
    end = perf_counter() + seconds * len(widths)
    while len(rounds) < 3 or perf_counter() < end:
        found = {m: once(packed, x, y, threads) for m, (x, y) in jobs.items()}
        rounds.append({**found, 0: read(packed, threads)})
    lines = []
    for m in widths:
        times = sorted(one[m] for one in rounds)
        median = statistics.median(times)
        lines.append({
            "type": kind, "shape": [n, k], "rows": m, "threads": threads, "rounds": len(rounds),
            "ms": round(median * 1e3, 4), "best_ms": round(times[0] * 1e3, 4),
            "p90_ms": round(times[int(0.9 * (len(times) - 1))] * 1e3, 4),
            "gb_s": round(n * library().row_bytes(NUMBERS[kind], k) / median / 1e9, 1),
            "gmac_s": round(m * n * k / median / 1e9, 1),
            "t1": round(statistics.median(one[m] / one[widths[0]] for one in rounds), 3),
            "of_read": round(statistics.median(one[0] / one[m] for one in rounds), 3),
            "read_gb_s": round(packed[0].bytes / statistics.median(one[0] for one in rounds) / 1e9, 1),
        })  # fmt: skip
    return lines


def about() -> dict[str, Any]:
    """What a figure depends on besides the code: commit, CPU, cores, instruction set."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    load = Path("/proc/loadavg")
    return {
        "commit": commit.strip(), "cpu": model, "cores": library().cores(), "isa": native.isa(),
        "load": load.read_text().split()[0] if load.exists() else "",
    }  # fmt: skip


def keep(line: dict[str, Any], log: Path | None) -> None:
    """Append a result to the log, if there is one, with what it depends on."""
    if log:
        with log.open("a") as file:
            file.write(json.dumps({**line, **about()}) + "\n")


def spread(values: Sequence[float], digits: int = 2) -> list[float]:
    """Median, 10th and 90th percentile."""
    cuts = statistics.quantiles(values, n=10) if len(values) > 1 else [values[0]] * 9
    return [round(x, digits) for x in (statistics.median(values), cuts[0], cuts[8])]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--types", default=",".join(kind for kind in NUMBERS if supports(kind, 256)))
    parser.add_argument("--rows", default="1,2,4,8,12,16,32")
    parser.add_argument("--shape", default="8192x2048")
    parser.add_argument("--megabytes", type=int, default=600)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--log", type=Path)
    chosen = parser.parse_args()
    n, k = (int(size) for size in chosen.shape.split("x"))
    widths = [int(m) for m in chosen.rows.split(",")]
    for kind in chosen.types.split(","):
        for line in measure(kind, (n, k), widths, chosen.megabytes, how_many(chosen.threads), chosen.seconds):
            print(json.dumps(line), flush=True)
            keep(line, chosen.log)


if __name__ == "__main__":
    main()
