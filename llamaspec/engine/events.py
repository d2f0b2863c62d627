"""What a running answer tells its listener: the same events for the terminal, the server, benchmarks and tests."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Progress:
    """Prompt processing: done of total tokens."""

    done: int
    total: int


@dataclass(frozen=True)
class Text:
    """Printable text, whole characters only. tokens: the ids that completed it. by, depth: who wrote the last of
    them: "" = the target itself, else the drafter's name and the token's place in its draft (1 = first)."""

    text: str
    tokens: tuple[int, ...] = ()
    by: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Timings:
    """Seconds and counts of one answer. prompt_n excludes tokens that were in the cache already.

    draft_n / draft_n_accepted: tokens offered to and accepted by the target. steps: target passes that made tokens.
    plain_s: seconds that one token takes without speculation, measured in this run; 0 = not measured.
    """

    prompt_n: int = 0
    prompt_s: float = 0.0
    predicted_n: int = 0
    predicted_s: float = 0.0
    cache_n: int = 0
    draft_n: int = 0
    draft_n_accepted: int = 0
    steps: int = 0
    plain_s: float = 0.0

    @property
    def prompt_per_second(self) -> float:
        """Prompt tokens per second; 0 when nothing was timed."""
        return self.prompt_n / self.prompt_s if self.prompt_s > 0 else 0.0

    @property
    def predicted_per_second(self) -> float:
        """Generated tokens per second; 0 when nothing was timed."""
        return self.predicted_n / self.predicted_s if self.predicted_s > 0 else 0.0

    @property
    def plain_per_second(self) -> float:
        """What plain decoding would reach; 0 when that was not measured."""
        return 1 / self.plain_s if self.plain_s > 0 else 0.0

    @property
    def speed_up(self) -> float:
        """Generation against plain decoding; 0 when that was not measured."""
        return self.predicted_per_second * self.plain_s


@dataclass(frozen=True)
class Stop:
    """The answer is over. reason: "eos", "word" (a stop string), "limit" (-n), "context" (full), "interrupt"."""

    reason: str
    timings: Timings = field(default_factory=Timings)
    drafting: Any = None
    """drafting.stats.Report, or None when no speculation ran."""
    tokens: tuple[int, ...] = ()
    """The ids of the answer, the end-of-generation token included."""


Event = Progress | Text | Stop


@dataclass(frozen=True)
class Completion:
    """A whole answer. tokens includes the final end-of-generation token, text does not."""

    text: str
    tokens: list[int]
    stop: str
    timings: Timings
    drafting: Any = None
