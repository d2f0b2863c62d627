"""The process of a measured engine: it waits, blocked, for a line, and answers each with a line of JSON.

The first line out says what the engine is, and what memory it takes; {"error": why} and the end if it cannot load. Then

    burst ROWS SECONDS    -> seconds of every pass of a burst
    python ROWS SECONDS   -> [seconds outside the native library, seconds] of every pass of a burst; llamaspec only

A burst is passes back to back, for that long and at least three; one more before them, which is not counted, brings the
threads back to work and the weights back into the caches. An engine that is not asked does nothing.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

FEWEST = 3
PROMPT = 64
"""Wider passes are prompts: logits of the last row only."""


def token(i: int) -> int:
    """The text that every engine reads."""
    return 7 * i % 100 + 5


def burst(one_pass: Callable[[], float], seconds: float) -> list[float]:
    """Seconds of each pass."""
    one_pass()
    times, end = [], perf_counter() + seconds
    while len(times) < FEWEST or perf_counter() < end:
        times.append(one_pass())
    return times


def memory() -> dict[str, int]:
    """Resident bytes of this process: now, at most since `forget_peak`, and of them those of mapped files."""
    status = Path("/proc/self/status")
    lines = [line.split() for line in status.read_text().splitlines()] if status.exists() else []
    found = {words[0]: 1024 * int(words[1]) for words in lines if words[0] in ("VmRSS:", "VmHWM:", "RssFile:")}
    names = {"VmRSS:": "resident", "VmHWM:": "peak", "RssFile:": "mapped"}
    return {names[name]: size for name, size in found.items()}


def forget_peak() -> None:
    """`peak` counts from now on (proc(5), clear_refs)."""
    switch = Path("/proc/self/clear_refs")
    if switch.exists():
        switch.write_text("5")


def serve(about: Mapping[str, Any], commands: Mapping[str, Callable[[int, float], Any]]) -> None:
    """Answer until stdin is closed. commands: name -> what takes rows and seconds."""
    say(about)
    for line in sys.stdin:
        name, rows, seconds = line.split()
        say(commands[name](int(rows), float(seconds)))


def say(answer: Any) -> None:
    """One line of JSON."""
    print(json.dumps(answer), flush=True)
