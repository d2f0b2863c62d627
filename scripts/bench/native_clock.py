"""The time that a piece of Python spends inside the native library."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any


class NativeClock:
    """Adds up the time in all functions of a library (an object whose attributes they are) while it is running.

    cost: seconds that the clock adds to a call outside of what it measures.
    """

    def __init__(self, library: object) -> None:
        self.library = library
        self.seconds, self.calls = 0.0, 0
        self.cost = self._cost()

    def reset(self) -> None:
        """From nothing again."""
        self.seconds, self.calls = 0.0, 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Every function is timed."""
        saved = {name: value for name, value in vars(self.library).items() if callable(value)}
        for name, function in saved.items():
            setattr(self.library, name, self._timed(function))
        try:
            yield
        finally:
            for name, function in saved.items():
                setattr(self.library, name, function)

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            start = perf_counter()
            result = function(*arguments)
            self.seconds += perf_counter() - start
            self.calls += 1
            return result

        return call

    def _cost(self) -> float:
        empty, found = self._timed(int), []
        for _ in range(2000):
            before, start = self.seconds, perf_counter()
            empty()
            found.append(perf_counter() - start - (self.seconds - before))
        self.reset()
        return min(found)
