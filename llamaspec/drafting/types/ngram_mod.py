"""ngram-mod: a hash pool that remembers which token followed each run of n tokens, shared by all sequences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..context import DrafterContext
from ..drafter import Follower, Slot
from ..knobs import Knobs, knob

SIZE = 1 << 22
_MASK = SIZE - 1
_STEP = 6364136223846793005 & _MASK  # only the low bits of the 64-bit product matter
_TOKEN = (1 << 32) - 1

FULL = 0.25
"""Share of used entries above which `begin` wipes the pool."""
CHUNK = 32
"""New n-grams of an answer enter the pool once more than this many have gathered."""
LOW = 0.25
"""Acceptance below which a draft counts as a bad one."""
STREAK = 5
"""So many bad drafts in a row wipe the pool."""


@dataclass(frozen=True)
class Params(Knobs):
    """n_match: tokens that must match. n_min, n_max: shorter drafts are dropped, longer ones never written."""

    flags = "--spec-ngram-mod"
    strictness = "n_match"
    n_match: int = knob(24, 1, 1024)
    n_min: int = knob(48, 0, 1024)
    n_max: int = knob(64, 0, 1024)


def index(tokens: Sequence[int]) -> int:
    """The pool entry of a run of tokens."""
    value = 0
    for token in tokens:
        value = (value * _STEP + token) & _MASK
    return value


class Pool:
    """4 Mi entries without keys: two runs that share an entry overwrite each other, and the later one stays."""

    def __init__(self) -> None:
        self.wipe()

    def wipe(self) -> None:
        """Empties the pool. Zeroed pages cost nothing until they are written."""
        self.entries = np.zeros(SIZE, np.uint32).data  # token + 1, 0 = empty
        self.used = 0

    def add(self, tokens: Sequence[int], n: int, start: int, stop: int) -> None:
        """Learns what follows the runs of n tokens that start at start .. stop - 1."""
        if stop <= start:
            return
        entries, leaving = self.entries, pow(_STEP, n, SIZE)
        value = index(tokens[start : start + n])
        for i in range(start, stop):
            if not entries[value]:
                self.used += 1
            following = tokens[i + n]
            entries[value] = (following + 1) & _TOKEN
            value = (value * _STEP + following - tokens[i] * leaving) & _MASK

    def chain(self, run: Sequence[int], limit: int) -> list[int]:
        """What follows the run, and what follows that, until an empty entry or `limit` tokens."""
        entries, leaving = self.entries, pow(_STEP, len(run), SIZE)
        value, text, out = index(run), list(run), []
        for i in range(limit):
            token = entries[value] - 1
            if token < 0:
                break
            out.append(token)
            text.append(token)
            value = (value * _STEP + token - text[i] * leaving) & _MASK
        return out


@dataclass
class _Sequence:
    learnt: int = 0  # runs that start below this are in the pool
    offered: int = 0  # length of the last draft
    low: int = 0  # bad drafts in a row


class Drafter(Follower):
    """Chains through the pool (speculation spec 3.4).

    Every prompt enters the pool at `begin`, answers in chunks of more than 32 tokens. `begin` wipes a pool that is
    more than a quarter full, after adding, so the prompt's own n-grams go too. Five drafts in a row with less than a
    quarter accepted wipe it as well.
    Fixed, unless `compat`: acceptance is measured against what the limit left of the draft; after a context shift
    learning goes on at once instead of waiting until the history is as long as before; n_min above n_max is refused.
    """

    name = "ngram-mod"
    order = 40

    def __init__(self, params: Params | None = None, compat: bool = False) -> None:
        self.params: Params = params or Params()
        self.n_max = self.params.n_max
        self._compat = compat
        self._pool: Pool | None = None
        self._sequences: dict[int, _Sequence] = {}
        if not compat:
            self.params.ordered("n_min", "n_max")

    @property
    def pool(self) -> Pool:
        """Made when it is first needed."""
        if self._pool is None:
            self._pool = Pool()
        return self._pool

    def begin(self, slot: Slot) -> None:
        """Learns the prompt; the streak of bad drafts goes on."""
        sequence = self._sequences.setdefault(slot.id, _Sequence())
        sequence.learnt = sequence.offered = 0
        n = self.params.n_match
        if len(slot.tokens) < n:
            return
        self.pool.add(slot.tokens, n, 0, len(slot.tokens) - n)
        sequence.learnt = len(slot.tokens) - n
        if self.pool.used > FULL * SIZE:
            self.pool.wipe()

    def forget(self, slot: Slot) -> None:
        """Nothing points into the history but the place where learning goes on."""

    def guess(self, slot: Slot) -> Sequence[int]:
        """Learns what has gathered, then follows the pool from the last n tokens."""
        sequence = self._sequences.setdefault(slot.id, _Sequence())
        sequence.offered = 0
        n = self.params.n_match
        known = len(slot.tokens) - 1  # the newest token ends no run yet
        if known < n:
            return []
        if not self._compat and sequence.learnt > known - n:
            sequence.learnt = known - n
        if sequence.learnt + CHUNK < known:
            self.pool.add(slot.tokens, n, sequence.learnt, known - n)
            sequence.learnt = known - n
        out = self.after(slot, ())
        bounded = slot.limit > 0 and not self._compat
        sequence.offered = min(len(out), slot.limit) if bounded else len(out)
        return out

    def after(self, slot: Slot, ahead: Sequence[int]) -> Sequence[int]:
        """What may follow slot.tokens + ahead; nothing is learnt."""
        n = self.params.n_match
        if len(slot.tokens) <= n:
            return []
        out = self.pool.chain([*slot.tokens[-n:], *ahead][-n:], self.n_max)
        return out if len(out) >= min(self.params.n_min, self.n_max) else []

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """Counts bad drafts of the slot's own; too many in a row wipe the pool."""
        sequence = self._sequences.setdefault(slot.id, _Sequence())
        if not mine or not sequence.offered:
            return
        if n >= LOW * sequence.offered:
            sequence.low = 0
            return
        sequence.low += 1
        if sequence.low >= STREAK:
            self.pool.wipe()
            sequence.low = sequence.learnt = 0


def build(context: DrafterContext, params: Params) -> Drafter:
    """From the text alone."""
    return Drafter(params, context.compat != "own")
