"""How often each token followed each run of one to four tokens, and the file that keeps it."""

import os
import struct
import sys
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..errors import LlamaspecError
from .table_order import table_order

LONGEST = 4
_TOKEN = (1 << 32) - 1
_INT_MAX = (1 << 31) - 1
_HASH = 11400714819323198485
_WORD = (1 << 64) - 1


class Followers:
    """The tokens that followed one run: counts in the order first seen, and the leader."""

    __slots__ = ("counts", "leader", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total = 0
        self.leader = -1  # highest count; among equals the one that got there last

    def add(self, token: int, count: int = 1) -> None:
        """`token` followed `count` times more."""
        counts = self.counts
        new = counts[token] = counts.get(token, 0) + count
        self.total += count
        if self.leader < 0 or new >= counts[self.leader]:
            self.leader = token

    def in_order(self) -> list[int]:
        """The tokens in llama.cpp's table order."""
        return table_order(list(self.counts), lambda token: token & _WORD)


def key_of(run: Sequence[int]) -> int:
    """The key of a run of 1 to 4 tokens."""
    key = 1
    for token in run:
        key = key << 32 | token & _TOKEN
    return key


def keys_of(text: Sequence[int]) -> list[int]:
    """The keys of the last token, the last two, three and four; fewer if the text is shorter."""
    keys: list[int] = []
    run = 0
    for size in range(min(LONGEST, len(text))):
        run |= (text[-1 - size] & _TOKEN) << 32 * size
        keys.append(1 << 32 * (size + 1) | run)
    return keys


def run_of(key: int) -> tuple[int, ...]:
    """The run of a key."""
    run: list[int] = []
    while key > 1:
        token = key & _TOKEN
        run.append(token - (1 << 32) if token > _INT_MAX else token)
        key >>= 32
    return tuple(reversed(run))


class LookupCache:
    """Counts of continuations, by runs of 1 to 4 tokens.

    A run that was met once costs no table of its own: its entry is the token itself.
    """

    def __init__(self) -> None:
        self._entries: dict[int, int | Followers] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def learn(self, tokens: Sequence[int], start: int = 0, low: int = 1, high: int = LONGEST) -> None:
        """Counts the tokens from `start` on as continuations of the runs of low .. high tokens before them."""
        for size in range(low, high + 1):
            first = max(start, size)
            if first >= len(tokens):
                continue
            mask, mark = (1 << 32 * size) - 1, 1 << 32 * size
            key = key_of(tokens[first - size : first])
            for i in range(first, len(tokens)):
                self._add(key, tokens[i])
                key = (key << 32 | tokens[i] & _TOKEN) & mask | mark

    def get(self, key: int) -> Followers | None:
        """What followed the run of `key`; None if nothing did."""
        entry = self._entries.get(key)
        return _single(entry) if isinstance(entry, int) else entry

    def entry(self, key: int) -> int | Followers | None:
        """As `get`, but a run that was met once answers with the token that followed it."""
        return self._entries.get(key)

    def merge(self, other: "LookupCache") -> None:
        """Adds the other's counts."""
        for key in other.in_order():
            followers = other.get(key)
            assert followers is not None
            for token in followers.in_order():
                self._add(key, token, followers.counts[token])

    def in_order(self) -> list[int]:
        """The keys in llama.cpp's table order."""
        return table_order(list(self._entries), _hash)

    def items(self) -> Iterator[tuple[tuple[int, ...], Mapping[int, int]]]:
        """Runs and the counts of their continuations, in the order first seen."""
        for key in self._entries:
            followers = self.get(key)
            assert followers is not None
            yield run_of(key), followers.counts

    def to_bytes(self) -> bytes:
        """The file's content: llama.cpp's format, records in its table order."""
        out = array("i")
        for key in self.in_order():
            followers = self.get(key)
            assert followers is not None
            run = run_of(key)
            out.extend(run + (-1,) * (LONGEST - len(run)))
            out.append(len(followers.counts))
            for token in followers.in_order():
                out.extend((token, min(followers.counts[token], _INT_MAX)))
        if sys.byteorder == "big":
            out.byteswap()
        return out.tobytes()

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "lookup cache") -> "LookupCache":
        """Reads a file's content. Raises LlamaspecError, naming the file, if it is not one."""
        if len(content) % 4:
            raise _broken(name, f"its size, {len(content)} bytes, is no multiple of 4")
        words = struct.unpack(f"<{len(content) // 4}i", content)
        cache, at = cls(), 0
        while at < len(words):
            at = cache._read_record(words, at, name)
        return cache

    @classmethod
    def read(cls, path: Path | str) -> "LookupCache":
        """Reads a file. Raises LlamaspecError if it is absent, unreadable or broken."""
        try:
            content = Path(path).read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            hint = "llamaspec lookup-create writes one"
            raise LlamaspecError(f"cannot read the lookup cache {path}: {reason}", hint) from None
        return cls.from_bytes(content, str(path))

    def write(self, path: Path | str) -> None:
        """Writes the file under a temporary name in the same folder, then renames it."""
        path = Path(path)
        try:
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(self.to_bytes())
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(name, 0o666 & ~_umask())
                os.replace(name, path)
            except BaseException:
                os.unlink(name)
                raise
        except OSError as error:
            hint = "is there room, and may you write there?"
            raise LlamaspecError(f"cannot write the lookup cache {path}: {error.strerror}", hint) from None

    def _add(self, key: int, token: int, count: int = 1) -> None:
        entry = self._entries.get(key)
        if entry is None and count == 1:
            self._entries[key] = token
            return
        if not isinstance(entry, Followers):
            entry = self._entries[key] = Followers() if entry is None else _single(entry)
        entry.add(token, count)

    def _read_record(self, words: Sequence[int], at: int, name: str) -> int:
        """One record from words[at] on; returns where the next one starts."""
        where = f"record at byte {4 * at}"
        if len(words) - at < LONGEST + 1:
            raise _broken(name, f"the {where} is cut off")
        run, count = tuple(words[at : at + LONGEST]), words[at + LONGEST]
        size = run.index(-1) if -1 in run else LONGEST
        if not size or min(run[:size]) < 0 or any(token != -1 for token in run[size:]):
            raise _broken(name, f"the {where} has the n-gram {run}")
        at += LONGEST + 1
        if count <= 0 or count > (len(words) - at) // 2:
            raise _broken(name, f"the {where} claims {count} continuations")
        key = key_of(run[:size])
        if key in self._entries:
            raise _broken(name, f"the {where} repeats the n-gram {run[:size]}")
        self._add_pairs(key, words[at : at + 2 * count], name, where)
        return at + 2 * count

    def _add_pairs(self, key: int, pairs: Sequence[int], name: str, where: str) -> None:
        tokens, counts = pairs[::2], pairs[1::2]
        if min(tokens) < 0 or min(counts) <= 0:
            raise _broken(name, f"the {where} has a negative token or a count below 1")
        if len(set(tokens)) < len(tokens):
            raise _broken(name, f"the {where} names a continuation twice")
        for token, count in zip(tokens, counts, strict=True):
            self._add(key, token, count)


def largest_token(caches: Iterable[LookupCache]) -> int:
    """The highest token id that the caches could draft; -1 if they are empty."""
    return max((max(counts) for cache in caches for _, counts in cache.items()), default=-1)


def _single(token: int) -> Followers:
    followers = Followers()
    followers.add(token)
    return followers


def _hash(key: int) -> int:
    run = run_of(key)
    value = 0
    for token in run + (-1,) * (LONGEST - len(run)):
        value ^= token * _HASH & _WORD
    return value


def _broken(name: str, why: str) -> LlamaspecError:
    return LlamaspecError(f"{name} is not a lookup cache: {why}", "llamaspec lookup-create writes one")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
