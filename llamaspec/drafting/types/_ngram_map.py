"""What ngram-map-k and ngram-map-k4v share: a table of n-grams, and what is known of each key that matched."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..drafter import Base, Slot
from ..knobs import Knobs, knob
from ._windows import Windows

BUCKETS = 1 << 18
_STEP = 2654435761 % BUCKETS  # only the low bits of the 32-bit product matter
MOST = 16380
"""Counts stop here."""
FOLLOWS = 4
"""Continuations that are told apart per key."""


@dataclass(frozen=True)
class MapParams(Knobs):
    """size_n: tokens that must match. size_m: the longest draft. min_hits: occurrences that are needed."""

    length, strictness = "size_m", "size_n"
    size_n: int = knob(12, 1, 1024)
    size_m: int = knob(48, 1, 1024)
    min_hits: int = knob(1, 1, 1024)


def bucket(tokens: Sequence[int]) -> int:
    """The table entry of a run of tokens."""
    value = 0
    for token in tokens:
        value = (value * _STEP + token) % BUCKETS
    return value


@dataclass
class Follow:
    """A continuation of a key: where it stands (0 = unused), how often it was met, how long its drafts may be."""

    accepted: int
    start: int = 0
    count: int = 0


@dataclass
class Key:
    """A run of n tokens that matched once. at: where it stands. counted: the occurrence counted last."""

    at: int
    follows: list[Follow]
    counted: int = 0
    hits: int = 0


@dataclass
class History:
    """The table and the keys of one sequence."""

    buckets: dict[int, int] = field(default_factory=dict)
    indexed: int = 0
    keys: list[Key] = field(default_factory=list)
    begun: int = 0  # length of the last prompt
    seen: int = 0  # length of the history at the last call
    prompt_hash: int = 0
    found: dict[tuple[int, ...], Key] | None = None  # keys by their tokens; None = the history changed, look again
    made: tuple[Follow, int] | None = None  # the last draft: where its acceptance is kept, how long it was


class MapDrafter(Base):
    """The table of speculation spec 3.2; a subclass decides what to draft for a key (`choose`).

    In the table the first writer of a bucket stays, so colliding n-grams are invisible.
    Fixed, unless `compat`: a history that became shorter without `begin` starts afresh (llama.cpp aborts); a prompt
    that does not continue the last one starts afresh (llama.cpp keeps keys whose text is gone), one that does keeps
    what the last prompt taught; a key whose draft
    was rejected outright drafts one token the next time, and every draft that was accepted whole doubles the key's
    length again (llama.cpp silences the key for good and only ever shortens); a cut by the slot's limit does not
    count as a rejection; min_hits counts occurrences in the text (llama.cpp: queries that found a match, and
    map-k not at all).
    """

    def __init__(self, params: MapParams, compat: bool) -> None:
        self.params: MapParams = params
        self.n_max = params.size_m
        self.compat = compat
        self._sequences: dict[int, History] = {}
        self._windows: dict[int, Windows] = {}

    def begin(self, slot: Slot) -> None:
        """Drops what a shorter prompt made meaningless."""
        self._restart(slot, len(slot.tokens))

    def forget(self, slot: Slot) -> None:
        """Keys stay, and are looked up by what stands at their places now."""
        self._windows.pop(slot.id, None)
        sequence = self._sequences.get(slot.id)
        if sequence is not None:
            sequence.found = None

    def choose(self, sequence: History, slot: Slot, key: Key, at: int) -> Sequence[int]:
        """A draft for a key that was found at `at`; sets sequence.made."""
        raise NotImplementedError

    def guess(self, slot: Slot) -> Sequence[int]:
        """The continuation of the newest n tokens, if the table or the new text has them."""
        sequence = self._sequences.setdefault(slot.id, History())
        sequence.made = None
        n, m, length = self.params.size_n, self.params.size_m, len(slot.tokens) - 1
        if sequence.seen == sequence.begun == length + 1:  # the last token of the prompt is still to be evaluated
            sequence.seen = sequence.begun = length
            sequence.prompt_hash = hash(tuple(slot.tokens[:length]))
        elif max(sequence.seen, sequence.begun) > length:
            self._restart(slot, length)
            sequence = self._sequences[slot.id]
        if length < 2 * n + m:
            return []
        sequence.seen = length
        run = slot.tokens[-n:]
        top = length - n - m - 1
        at = self._match(sequence, slot.tokens, run, top)
        self._index(sequence, slot.tokens, top)
        if not at:
            return []
        key = self._key(sequence, slot.tokens, tuple(run), at)
        key.hits = min(key.hits + 1, MOST)
        return self.choose(sequence, slot, key, at)

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """Remembers how long the key's drafts may be."""
        sequence = self._sequences.get(slot.id)
        if not mine or sequence is None or sequence.made is None:
            return
        follow, length = sequence.made
        if self.compat:
            follow.accepted = n
        else:
            follow.accepted = min(self.params.size_m, 2 * length) if n >= length else max(n, 1)

    def windows(self, slot: Slot) -> Windows:
        """Every place of every n-gram, up to the end of the history."""
        windows = self._windows.get(slot.id)
        if windows is None:
            windows = self._windows[slot.id] = Windows(self.params.size_n)
        windows.grow(slot.tokens, len(slot.tokens) - self.params.size_n)
        return windows

    def offer(self, sequence: History, slot: Slot, follow: Follow, start: int) -> Sequence[int]:
        """The text at `start`, as long as `follow` allows."""
        draft = slot.tokens[start : start + min(self.params.size_m, follow.accepted)]
        sequence.made = (follow, min(len(draft), slot.limit) if slot.limit > 0 else len(draft))
        return draft

    def _ranges(self, sequence: History, top: int) -> tuple[range, range]:
        """Starts that are not in the table yet, in the order they are looked at: old prompt, then newer text."""
        n, m, begun = self.params.size_n, self.params.size_m, sequence.begun
        prompt = range(begun - n - m - 1, sequence.indexed, -1) if begun > n + m + 1 else range(0)
        return prompt, range(top, max(begun, sequence.indexed), -1)

    def _match(self, sequence: History, tokens: list[int], run: list[int], top: int) -> int:
        """Where the run stood before; 0 = nowhere."""
        n = len(run)
        at = sequence.buckets.get(bucket(run), 0)
        if 0 < at < top and tokens[at : at + n] == run:
            return at
        for starts in self._ranges(sequence, top):
            for start in starts:
                if tokens[start] == run[0] and tokens[start : start + n] == run:
                    return start
        return 0

    def _index(self, sequence: History, tokens: list[int], top: int) -> None:
        n, buckets = self.params.size_n, sequence.buckets
        leaving = pow(_STEP, n, BUCKETS)
        for starts in self._ranges(sequence, top):
            if not starts:
                continue
            first = starts[-1]
            value = bucket(tokens[first : first + n])
            hashes = [value]
            for start in range(first, starts[0]):
                value = (value * _STEP + tokens[start + n] - tokens[start] * leaving) % BUCKETS
                hashes.append(value)
            for start, value in zip(starts, reversed(hashes), strict=True):
                buckets.setdefault(value, start)
        sequence.indexed = max(top, sequence.indexed)

    def _key(self, sequence: History, tokens: list[int], run: tuple[int, ...], at: int) -> Key:
        n = len(run)
        if sequence.found is None:
            sequence.found = {}
            for key in sequence.keys:
                sequence.found.setdefault(tuple(tokens[key.at : key.at + n]), key)
        key = sequence.found.get(run)
        if key is None:
            key = Key(at, [Follow(self.params.size_m) for _ in range(FOLLOWS)])
            sequence.keys.append(key)
            sequence.found[run] = key
        return key

    def _restart(self, slot: Slot, length: int) -> None:
        """A prompt of `length` tokens stands in the slot."""
        sequence = self._sequences.setdefault(slot.id, History())
        self.forget(slot)
        if not self.compat:
            continued = 0 < sequence.begun <= length
            if continued and hash(tuple(slot.tokens[: sequence.begun])) == sequence.prompt_hash:
                self._clean(sequence, length)
            else:
                sequence = self._sequences[slot.id] = History()
            sequence.prompt_hash = hash(tuple(slot.tokens[:length]))
        elif length < sequence.seen:
            self._clean(sequence, length)
        sequence.seen = sequence.begun = length

    def _clean(self, sequence: History, length: int) -> None:
        """Drops what stood at or behind the point up to which the new prompt may repeat the old one."""
        room = self.params.size_n + self.params.size_m
        cut = sequence.begun if sequence.begun <= length else max(length - room, 0)
        sequence.buckets = {value: start for value, start in sequence.buckets.items() if start < cut}
        sequence.indexed = max(cut - 1, 0)
        sequence.keys = [key for key in sequence.keys if key.at < cut and self._keep(key, cut)]

    def _keep(self, key: Key, cut: int) -> bool:
        """Whether a key in front of the cut still has something to say."""
        return True
