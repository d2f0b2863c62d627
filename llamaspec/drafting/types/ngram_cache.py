"""ngram-cache: what most often followed the last one to four tokens, in this text and in lookup files."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from ..drafter import Base, Slot
from ..lookup_cache import LONGEST, Followers, LookupCache, keys_of
from ._knobs import in_range

LENGTH = 8
"""The draft length that llama.cpp has built in."""

File = str | bytes | PathLike[str] | LookupCache | None

Rules = tuple[tuple[int, int, int], ...]
LAX: Rules = ((4, 1, 50), (3, 1, 50), (2, 2, 50), (1, 2, 66))
"""Run length, fewest samples, lowest percentage of the favourite: for what this text taught."""
STRICT: Rules = ((4, 2, 66), (3, 2, 66), (2, 3, 66), (1, 4, 75))
"""For what earlier texts taught."""
ALONE = (2, 50)
"""For the static cache when no other has an answer."""


@dataclass(frozen=True)
class Params:
    """n_max: the longest draft. static, dynamic: lookup files (-lcs, -lcd), their content, or None."""

    n_max: int = LENGTH
    static: File = field(default=None, repr=False)
    dynamic: File = field(default=None, repr=False)

    def __post_init__(self) -> None:
        in_range("ngram-cache", "n_max", self.n_max, 1, 1024)


@dataclass
class _Context:
    cache: LookupCache = field(default_factory=LookupCache)
    known: int = 0  # tokens learnt


class Drafter(Base):
    """Lookup decoding with three caches: this text, earlier texts (dynamic), a large corpus (static).

    The longest run with a clear favourite wins; static counts weigh the candidates (speculation spec 3.5).
    Fixed, unless `compat`: n-grams that span two calls are learnt, so that generated text teaches as much as the
    prompt does (llama.cpp hands over only the new tokens of each call); every prompt starts a new context cache
    (llama.cpp learns nothing of a second conversation until it is longer than the first); n_max is a knob (llama.cpp:
    8); among equally frequent continuations the one that was met last wins (llama.cpp: the order of its table).
    """

    name = "ngram-cache"

    def __init__(self, params: Params | None = None, compat: bool = False) -> None:
        self.params = params or Params()
        self.n_max = LENGTH if compat else self.params.n_max
        self._compat = compat
        self._static = _loaded(self.params.static)
        self._dynamic = _loaded(self.params.dynamic)
        self._contexts: dict[int, _Context] = {}

    def begin(self, slot: Slot) -> None:
        """Learns the prompt."""
        if not self._compat:
            self._contexts.pop(slot.id, None)
            self._learn(slot)

    def forget(self, slot: Slot) -> None:
        """The next call learns the history anew."""
        if not self._compat:
            self._contexts.pop(slot.id, None)

    def guess(self, slot: Slot) -> Sequence[int]:
        """Learns what is new, then drafts."""
        self._learn(slot)
        return self.after(slot, ())

    def after(self, slot: Slot, ahead: Sequence[int]) -> Sequence[int]:
        """What may follow slot.tokens + ahead; nothing is learnt."""
        context = self._contexts.get(slot.id)
        text = [*slot.tokens[-LONGEST:], *ahead]
        if context is None or len(text) < 2:
            return []
        start = len(text)
        while len(text) - start < self.n_max:
            token = self._next(context.cache, text)
            if token is None:
                break
            text.append(token)
        return text[start:]

    def learnt(self) -> LookupCache:
        """The dynamic cache with all that the texts of this run taught: what -lcd is to contain afterwards."""
        total = LookupCache()
        for cache in (self._dynamic, *(context.cache for context in self._contexts.values())):
            total.merge(cache)
        return total

    def save(self) -> None:
        """Writes the dynamic file anew, if one was named. llama.cpp's server never does."""
        if isinstance(self.params.dynamic, (str, PathLike)):
            self.learnt().write(Path(self.params.dynamic))

    def _learn(self, slot: Slot) -> None:
        context = self._contexts.setdefault(slot.id, _Context())
        known, length = context.known, len(slot.tokens)
        if known < length and self._compat:
            context.cache.learn(slot.tokens[known:])
        elif known < length:
            context.cache.learn(slot.tokens, known)
        if known < length or not self._compat:
            context.known = length

    def _next(self, context: LookupCache, text: list[int]) -> int | None:
        keys = keys_of(text)
        static = self._static.get(keys[1]) if len(self._static) else None
        token = self._best(context, keys, LAX, static)
        if token is None and len(self._dynamic):
            token = self._best(self._dynamic, keys, STRICT, static)
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
        elif self._compat and run.total == 2 * counts[token] and len(counts) == 2:
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
        if not self._compat:
            return run.leader if run.leader in winners else max(winners, key=lambda token: run.counts[token])
        return next(token for token in run.in_order() if weights.get(token, run.counts[token]) == top)


def _loaded(file: File) -> LookupCache:
    if file is None or file == "":
        return LookupCache()
    if isinstance(file, LookupCache):
        return file
    if isinstance(file, bytes):
        return LookupCache.from_bytes(file)
    return LookupCache.read(Path(file))
