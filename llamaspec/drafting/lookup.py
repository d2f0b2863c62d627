"""Lookup decoding: the favourite continuation of the newest tokens, according to three caches."""

from collections.abc import Collection, Sequence

from .lookup_cache import LONGEST, Followers, LookupCache, keys_of

Rules = tuple[tuple[int, int, int], ...]
LAX: Rules = ((4, 1, 50), (3, 1, 50), (2, 2, 50), (1, 2, 66))
"""Run length, fewest samples, lowest percentage of the favourite: for what this text taught."""
STRICT: Rules = ((4, 2, 66), (3, 2, 66), (2, 3, 66), (1, 4, 75))
"""For what earlier texts taught."""
ALONE = (2, 50)
"""For the static cache when no other has an answer."""


class Lookup:
    """Drafts from this text's counts, then from earlier texts' (dynamic), then from a large corpus's (static).

    The longest run with a clear favourite wins; static counts weigh the candidates (speculation spec 3.5).
    table_ties: among equally frequent continuations the first in llama.cpp's hash table wins; else the one that was
    met last.
    """

    def __init__(self, dynamic: LookupCache, static: LookupCache, table_ties: bool = False) -> None:
        self.dynamic, self.static, self.table_ties = dynamic, static, table_ties

    def draft(self, context: LookupCache, text: Sequence[int], n_max: int) -> list[int]:
        """At most n_max tokens that may follow `text`; a text of one token has none."""
        if len(text) < 2:
            return []
        tail = list(text[-LONGEST:])
        start = len(tail)
        while len(tail) - start < n_max:
            token = self._next(context, tail)
            if token is None:
                break
            tail.append(token)
        return tail[start:]

    def _next(self, context: LookupCache, text: list[int]) -> int | None:
        keys = keys_of(text)
        static = self.static.get(keys[1]) if len(self.static) else None
        token = self._best(context, keys, LAX, static)
        if token is None and len(self.dynamic):
            token = self._best(self.dynamic, keys, STRICT, static)
        if token is None and static is not None:
            return self._favourite(static, None, *ALONE)
        return token

    def _best(self, cache: LookupCache, keys: Sequence[int], rules: Rules, static: Followers | None) -> int | None:
        """The favourite after the longest run that has one."""
        for size, samples, percent in rules:
            if size > len(keys):
                continue
            entry = cache.entry(keys[size - 1])
            if entry is None:
                continue
            if isinstance(entry, int):
                if samples <= 1:
                    return entry
                continue
            token = self._favourite(entry, static, samples, percent)
            if token is not None:
                return token
        return None

    def _favourite(self, run: Followers, static: Followers | None, samples: int, percent: int) -> int | None:
        """The heaviest continuation, None if it is not clear enough."""
        if run.total < samples:
            return None
        token = run.leader
        counts = run.counts
        if static is not None and (shared := static.counts.keys() & counts.keys()):
            token = self._heaviest(run, static, shared)
        elif self.table_ties and run.total == 2 * counts[token] and len(counts) == 2:
            token = next(token for token in run.in_order() if 2 * counts[token] == run.total)
        return token if 100 * counts[token] >= percent * run.total else None

    def _heaviest(self, run: Followers, static: Followers, shared: Collection[int]) -> int:
        """A continuation that the static cache knows weighs a hundred times its static count."""
        weights = {token: 100 * static.counts[token] * run.counts[token] for token in shared}
        weights.setdefault(run.leader, run.counts[run.leader])
        top = max(weights.values())
        winners = [token for token, weight in weights.items() if weight == top]
        if len(winners) == 1 and top > run.counts[run.leader]:
            return winners[0]
        if not self.table_ties:
            return run.leader if run.leader in winners else max(winners, key=lambda token: run.counts[token])
        return next(token for token in run.in_order() if weights.get(token, run.counts[token]) == top)
