"""Where each run of n tokens stood in a growing history, found without scanning it."""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence

_PRIME = (1 << 61) - 1
_BASE = 0x1B873593_9E3779B9 % _PRIME


class Windows:
    """An index from the windows of n tokens to their starts, newest first.

    Windows are hashed as the history grows (one multiplication per token, whatever n is) and kept as a linked list
    per hash; a hit is compared token by token, so a collision costs a step and never a wrong answer.
    Memory: about 150 bytes per token of history.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._top = pow(_BASE, n, _PRIME)
        self.clear()

    def clear(self) -> None:
        """Forgets everything."""
        self.seen = 0  # tokens hashed so far
        self._hash = 0
        self._waiting: deque[int] = deque()  # hashes of the newest windows, not findable yet
        self._newest: dict[int, int] = {}
        self._older = array("q")  # start -> the start before it that has the same hash, or -1

    def grow(self, tokens: Sequence[int], stop: int) -> None:
        """Hashes the tokens not seen yet; windows that start below `stop` can be found from now on.

        A history shorter than before is a new one.
        """
        if len(tokens) < self.seen:
            self.clear()
        n, top, value, waiting = self.n, self._top, self._hash, self._waiting
        for i in range(self.seen, len(tokens)):
            value = value * _BASE + tokens[i]
            if i >= n:
                value -= top * tokens[i - n]
            value %= _PRIME
            if i >= n - 1:
                waiting.append(value)
        self._hash, self.seen = value, len(tokens)
        older, newest = self._older, self._newest
        while waiting and len(older) < stop:
            value = waiting.popleft()
            older.append(newest.get(value, -1))
            newest[value] = len(older) - 1

    def starts(self, tokens: Sequence[int], key: Sequence[int]) -> Iterator[int]:
        """Starts of the findable windows that equal `key` (n tokens), newest first."""
        at = self._newest.get(self._hash if self._is_last(tokens, key) else self._hash_of(key), -1)
        while at >= 0:
            if tokens[at : at + self.n] == key:
                yield at
            at = self._older[at]

    def _is_last(self, tokens: Sequence[int], key: Sequence[int]) -> bool:
        return len(tokens) == self.seen and tokens[-self.n :] == key

    def _hash_of(self, key: Sequence[int]) -> int:
        value = 0
        for token in key:
            value = (value * _BASE + token) % _PRIME
        return value
