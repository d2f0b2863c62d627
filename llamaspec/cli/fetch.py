"""Downloads as a person sees them: bars on a terminal, a line per file elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..options.groups import Groups
from . import terminal

if TYPE_CHECKING:
    from ..weights.transfer import Watch


def fetched(groups: Groups) -> Groups:
    """Groups whose model and draft model are files on this disk; what -hf and the like name is downloaded."""
    if not groups.model.remote:
        return groups
    from ..weights.download import with_files

    with watching(groups) as watch:
        return with_files(groups, watch)


@contextmanager
def watching(groups: Groups) -> "Iterator[Watch]":
    """A Watch for the time of some downloads."""
    if groups.log.verbosity < 1:
        from ..weights.download import Quiet

        yield Quiet(lambda line: None)
    elif terminal.is_terminal(sys.stderr) and terminal.colours(groups.log.color, sys.stderr):
        with _Bars(groups.log.verbosity) as bars:
            yield bars
    else:
        yield _Lines(groups.log.verbosity)


class _Lines:
    """A Watch that writes lines."""

    def __init__(self, verbosity: int) -> None:
        self.verbosity = verbosity
        self.name, self.total, self.done, self.start, self.since = "", 0, 0, 0, 0.0

    def begin(self, name: str, done: int, total: int | None) -> None:
        """Says what is coming, once per file."""
        from ..weights.part import sized

        if name != self.name and self.verbosity >= 2:
            size = f" ({sized(total)})" if total is not None else ""
            more = f", continuing after {sized(done)}" if done else ""
            terminal.say(f"note: downloading {name}{size}{more}")
            self.since, self.start = time.monotonic(), done
        self.name, self.done = name, done

    def advance(self, count: int) -> None:
        """Counts."""
        self.done += count

    def end(self) -> None:
        """Says how fast it was."""
        from ..weights.part import sized

        if self.verbosity >= 2:
            seconds = time.monotonic() - self.since
            rate = f", {sized((self.done - self.start) / seconds)}/s" if seconds > 0.1 else ""
            terminal.say(f"note: downloaded {self.name} in {seconds:.1f} s{rate}")
        self.name = ""

    def say(self, line: str) -> None:
        """A note."""
        if self.verbosity >= 2:
            terminal.say(f"note: {line}")


class _Bars:
    """A Watch with a bar per file: share, size, rate, time left."""

    def __init__(self, verbosity: int) -> None:
        self.verbosity = verbosity
        self.tasks: dict[str, Any] = {}
        self.current: Any = None

    def __enter__(self) -> "_Bars":
        from rich import progress as shown
        from rich.console import Console
        from rich.table import Column

        fitted = Column(ratio=1, no_wrap=True, overflow="ellipsis")
        columns: list[shown.ProgressColumn] = [
            shown.TextColumn("{task.description}", markup=False, table_column=fitted)
        ]
        console = Console(stderr=True, highlight=False)
        if console.width >= 70:
            columns += [shown.BarColumn(20), shown.TaskProgressColumn(), shown.DownloadColumn(binary_units=True)]
        else:
            columns += [shown.TaskProgressColumn()]
        columns += [shown.TransferSpeedColumn(), shown.TimeRemainingColumn(compact=True)]
        self.progress = shown.Progress(*columns, console=console, expand=True)
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()

    def begin(self, name: str, done: int, total: int | None) -> None:
        """A bar for the file, or its old bar set back."""
        if name not in self.tasks:
            self.tasks[name] = self.progress.add_task(terminal.visible(name), total=None)
        self.current = self.tasks[name]
        self.progress.reset(self.current, total=total, completed=done)

    def advance(self, count: int) -> None:
        """Moves the bar."""
        self.progress.advance(self.current, count)

    def end(self) -> None:
        """Fills the bar."""
        task = self.progress.tasks[self.current]
        self.progress.update(self.current, total=task.completed)

    def say(self, line: str) -> None:
        """A note above the bars."""
        if self.verbosity >= 2:
            self.progress.console.print(terminal.visible(f"note: {line}"), markup=False, soft_wrap=True)
