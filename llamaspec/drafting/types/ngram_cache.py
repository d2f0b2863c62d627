"""ngram-cache: what most often followed the last one to four tokens, in this text and in lookup files."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from ...errors import LlamaspecError
from ..context import DrafterContext
from ..drafter import Follower, Slot
from ..knobs import Knobs, knob
from ..lookup import Lookup
from ..lookup_cache import LONGEST, LookupCache, largest_token

LENGTH = 8
"""The draft length that llama.cpp has built in."""

File = str | bytes | PathLike[str] | LookupCache | None


@dataclass(frozen=True)
class Params(Knobs):
    """n_max: the longest draft. static, dynamic: lookup files (-lcs, -lcd), their content, or None."""

    flags = "--spec-ngram-cache"
    n_max: int = knob(LENGTH, 1, 1024)
    static: File = knob(None, flag="--lookup-cache-static", show=False)
    dynamic: File = knob(None, flag="--lookup-cache-dynamic", show=False)


@dataclass
class _Context:
    cache: LookupCache = field(default_factory=LookupCache)
    known: int = 0  # tokens learnt
    text: "array[int]" = field(default_factory=lambda: array("q"))  # the tokens learnt, not kept with `compat`


class Drafter(Follower):
    """Lookup decoding with three caches: this text, earlier texts (dynamic), a large corpus (static).

    The longest run with a clear favourite wins; static counts weigh the candidates (speculation spec 3.5).
    Fixed, unless `compat`: n-grams that span two calls are learnt, so that generated text teaches as much as the
    prompt does (llama.cpp hands over only the new tokens of each call); a prompt that does not continue the last text
    starts a new context cache (llama.cpp learns nothing of a second conversation until it is longer than the first);
    n_max is a knob (llama.cpp: 8); among equally frequent continuations the one that was met last wins (llama.cpp:
    the order of its table); a dynamic file may be absent, and `save` writes it.
    n_vocab: tokens of the model; a file that has others is refused. 0 = unknown, nothing is checked.
    """

    name = "ngram-cache"
    order = 50

    def __init__(self, params: Params | None = None, compat: bool = False, n_vocab: int = 0) -> None:
        self.params: Params = params or Params()
        self.n_max = LENGTH if compat else self.params.n_max
        self._compat = compat
        self._file = _writable(self.params.dynamic)
        dynamic = _loaded(self.params.dynamic, n_vocab, may_be_absent=not compat)
        self._lookup = Lookup(dynamic, _loaded(self.params.static, n_vocab), table_ties=compat)
        self._contexts: dict[int, _Context] = {}
        self._finished: list[LookupCache] = []

    def begin(self, slot: Slot) -> None:
        """Learns the prompt, or what is new in it."""
        if self._compat:
            return
        context = self._contexts.get(slot.id)
        if context is not None and context.text.tolist() != slot.tokens[: len(context.text)]:
            self.forget(slot)
        self._learn(slot)

    def forget(self, slot: Slot) -> None:
        """The next call learns the history anew."""
        if self._compat or slot.id not in self._contexts:
            return
        context = self._contexts.pop(slot.id)
        if self._file is not None:
            self._finished.append(context.cache)

    def guess(self, slot: Slot) -> Sequence[int]:
        """Learns what is new, then drafts."""
        self._learn(slot)
        return self.after(slot, ())

    def after(self, slot: Slot, ahead: Sequence[int]) -> Sequence[int]:
        """What may follow slot.tokens + ahead; nothing is learnt."""
        context = self._contexts.get(slot.id)
        if context is None:
            return []
        return self._lookup.draft(context.cache, [*slot.tokens[-LONGEST:], *ahead], self.n_max)

    def learnt(self) -> LookupCache:
        """The dynamic cache with all that the texts of this run taught: what -lcd is to contain afterwards."""
        total = LookupCache()
        total.merge(self._lookup.dynamic)
        for cache in (*self._finished, *(context.cache for context in self._contexts.values())):
            total.merge(cache)
        return total

    def save(self, slots: Sequence[Slot] = ()) -> None:
        """Writes the dynamic file anew, if one was named. llama.cpp's server never does."""
        if self._file is not None:
            for slot in slots:
                self.begin(slot)
            self.learnt().write(self._file)

    def _learn(self, slot: Slot) -> None:
        context = self._contexts.setdefault(slot.id, _Context())
        known, length = context.known, len(slot.tokens)
        if self._compat:
            if known < length:
                context.cache.learn(slot.tokens[known:])
                context.known = length
            return
        if known > length:  # cut by a context shift: the counts stay true
            del context.text[:]
            context.text.extend(slot.tokens)
        elif known < length:
            context.cache.learn(slot.tokens, known)
            context.text.extend(slot.tokens[known:])
        context.known = length


def build(context: DrafterContext, params: Params) -> Drafter:
    """From the text, and the lookup files if some are named."""
    return Drafter(params, context.compat != "own", context.n_vocab)


def _writable(file: File) -> Path | None:
    """The file that `save` writes. What a run learnt is written at its end: too late to hear of a wrong folder."""
    if not isinstance(file, (str, PathLike)) or file == "":
        return None
    if not Path(file).absolute().parent.is_dir():
        raise LlamaspecError(
            f"cannot write the lookup cache {file} at the end: there is no such folder", "create the folder first"
        )
    return Path(file)


def _loaded(file: File, n_vocab: int, may_be_absent: bool = False) -> LookupCache:
    if file is None or file == "":
        return LookupCache()
    if isinstance(file, LookupCache):
        cache = file
    elif isinstance(file, bytes):
        cache = LookupCache.from_bytes(file)
    elif may_be_absent and not Path(file).exists():
        return LookupCache()
    else:
        cache = LookupCache.read(Path(file))
    if n_vocab and (highest := largest_token([cache])) >= n_vocab:
        name = "the lookup cache" if isinstance(file, (bytes, LookupCache)) else str(file)
        raise LlamaspecError(
            f"{name} has the token {highest}, but the model has only {n_vocab}",
            hint="it was made with another tokenizer; make one with llamaspec lookup-create",
        )
    return cache
