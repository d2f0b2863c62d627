"""What a stage measures with, and where its numbers go."""

import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from llamaspec.kernels.device import Device


@dataclass
class Sink:
    """One JSON line per result, appended and on disk at once: a stage that is cut off keeps what it has."""

    out: Path
    facts: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, stage: str, name: str, value: float | None, unit: str, **more: Any) -> None:
        """value None: not measured, `why` says so."""
        row = {"stage": stage, "name": name, "value": value, "unit": unit, **more}
        self.rows.append(row)
        with self.out.open("a") as file:
            file.write(json.dumps({**row, **self.facts, "time": round(time.time())}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def table(self) -> str:
        """The results so far, one line each."""
        lines = []
        for row in self.rows:
            rest = {key: value for key, value in row.items() if key not in ("stage", "name", "value", "unit")}
            shown = "not measured" if row["value"] is None else f"{row['value']:.4g} {row['unit']}"
            more = " ".join(f"{key}={value}" for key, value in rest.items() if not isinstance(value, list | dict))
            lines.append(f"{row['stage']:<12} {row['name']:<44} {shown:>18}  {more}")
        return "\n".join(lines)

    def earlier(self, name: str, **facts: Any) -> list[dict[str, Any]]:
        """Rows of this name in the file, from other runs too."""
        if not self.out.exists():
            return []
        rows = [json.loads(line) for line in self.out.read_text().splitlines()]
        return [row for row in rows if row["name"] == name and all(row.get(k) == v for k, v in facts.items())]


@dataclass(frozen=True)
class Place:
    """Where it runs. toy: shapes and repeats for a CPU in seconds; its numbers mean nothing."""

    device: torch.device
    toy: bool
    work: Path

    @property
    def named(self) -> Device:
        """The device as llamaspec names it."""
        return Device(self.device.type, self.device.index or 0)

    @property
    def cuda(self) -> bool:
        """Whether there is a GPU."""
        return self.device.type == "cuda"

    def wait(self) -> None:
        """Until the device has done everything."""
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def pick(self, real: Any, toy: Any) -> Any:
        """One of two sizes."""
        return toy if self.toy else real


def milliseconds(place: Place, run: Callable[[], Any], repeats: int, warm: int = 3) -> tuple[float, float]:
    """Median and half the distance between the 10th and 90th percentile, by device events where there are any."""
    for _ in range(warm):
        run()
    place.wait()
    times = []
    if place.cuda:
        marks = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
        marks[0].record()
        for mark in marks[1:]:
            run()
            mark.record()
        place.wait()
        times = [a.elapsed_time(b) for a, b in pairwise(marks)]
    else:
        for _ in range(repeats):
            start = time.perf_counter()
            run()
            times.append(1e3 * (time.perf_counter() - start))
    deciles = statistics.quantiles(times, n=10) if len(times) > 1 else [times[0]] * 9
    return statistics.median(times), (deciles[-1] - deciles[0]) / 2


def wall_ms(place: Place, run: Callable[[], Any], count: int) -> float:
    """Milliseconds of the host per call, the device's work included at the end."""
    run()
    place.wait()
    start = time.perf_counter()
    for _ in range(count):
        run()
    place.wait()
    return 1e3 * (time.perf_counter() - start) / count
