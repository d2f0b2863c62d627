"""The lookup tools: make a lookup cache from a text, merge caches, and try them on a text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ..drafting.lookup import Lookup
from ..drafting.lookup_cache import LONGEST, LookupCache, largest_token
from ..errors import LlamaspecError, UsageError

STATIC = 2
"""Run length of a static cache."""


def create(tokens: Sequence[int]) -> LookupCache:
    """The static cache of a text: what followed each pair of tokens (speculation spec 3.8)."""
    cache = LookupCache()
    cache.learn(tokens, 0, STATIC, STATIC)
    return cache


def merge(parts: Sequence[Path | str], report: Callable[[str], None] = lambda line: None) -> LookupCache:
    """The sum of several cache files. report: hears each file's name before it is read.

    Raises LlamaspecError, naming the file, if one is absent or broken, UsageError if none is given.
    """
    if not parts:
        raise UsageError("lookup-merge needs at least one file to read", hint="lookup-merge PART... OUTPUT")
    merged: LookupCache | None = None
    for part in parts:
        report(str(part))
        cache = LookupCache.read(part)
        if merged is None:
            merged = cache
        else:
            merged.merge(cache)
    assert merged is not None
    return merged


@dataclass(frozen=True)
class Trial:
    """What drafting from lookup caches would have done for a text.

    n_predict: tokens of the text that whole chunks cover. s_flat, s_draft: seconds spent reading the files, and
    drafting and learning.
    """

    n_draft: int
    n_predict: int
    n_drafted: int
    n_accept: int
    s_flat: float
    s_draft: float

    @property
    def rate(self) -> float:
        """Accepted share of the drafted tokens, 0 without drafts (llama.cpp prints nan)."""
        return self.n_accept / self.n_drafted if self.n_drafted else 0.0

    def lines(self) -> list[str]:
        """llama.cpp's lines."""
        drafted = max(self.n_drafted, 1)
        speed = self.n_drafted / self.s_draft if self.s_draft else 0.0
        return [
            f"n_draft      = {self.n_draft}",
            f"n_predict    = {self.n_predict}",
            f"n_drafted    = {self.n_drafted}",
            f"t_draft_flat = {1e3 * self.s_flat:.2f} ms",
            f"t_draft      = {1e3 * self.s_draft:.2f} ms, {1e6 * self.s_draft / drafted:.2f} us per token, "
            f"{speed:.2f} tokens per second",
            f"n_accept     = {self.n_accept}",
            f"accept       = {100 * self.rate:.3f}%",
        ]


def stats(
    tokens: Sequence[int],
    n_ctx: int,
    n_draft: int,
    static: Path | str | None = None,
    dynamic: Path | str | None = None,
    table_ties: bool = False,
    n_vocab: int = 0,
) -> Trial:
    """Replays a text in chunks of n_ctx tokens as if it were being generated (speculation spec 3.8).

    Each chunk's counts go into the dynamic cache when it is done; the files are not written. A missing dynamic file
    counts as an empty one. The text must be longer than a chunk for the chunk to be tried.
    n_vocab: tokens of the model; 0 = unknown, files are not checked against it.
    Raises UsageError for sizes below 1, LlamaspecError for a broken file or one of another tokenizer.
    """
    if n_ctx < 1 or n_draft < 1:
        raise UsageError(f"lookup-stats: n_ctx {n_ctx} and n_draft {n_draft} must be at least 1")
    start = perf_counter()
    corpus = LookupCache.read(static) if static else LookupCache()
    known = LookupCache.read(dynamic) if dynamic and Path(dynamic).exists() else LookupCache()
    if n_vocab and (highest := largest_token((corpus, known))) >= n_vocab:
        raise LlamaspecError(
            f"the lookup files have the token {highest}, but the model has only {n_vocab}",
            hint="they were made with another tokenizer; make one with llamaspec lookup-create",
        )
    lookup = Lookup(known, corpus, table_ties)
    flat = perf_counter() - start
    drafted = accepted = 0
    spent = 0.0
    for first in range(0, max(len(tokens) - n_ctx, 0), n_ctx):
        context = LookupCache()
        start = perf_counter()
        n, k = _replay(lookup, context, tokens[first : first + n_ctx], n_draft)
        spent += perf_counter() - start
        drafted, accepted = drafted + n, accepted + k
        known.merge(context)
    return Trial(n_draft, len(tokens) - len(tokens) % n_ctx, drafted, accepted, flat, spent)


def _replay(lookup: Lookup, context: LookupCache, chunk: Sequence[int], n_draft: int) -> tuple[int, int]:
    """Tokens drafted and accepted while a chunk is written token by token."""
    drafted = accepted = 0
    done = 1
    while done < len(chunk):
        draft = lookup.draft(context, chunk[max(done - LONGEST, 0) : done], n_draft)
        drafted += len(draft)
        known = done
        for token in draft:
            if done == len(chunk) or chunk[done] != token:
                break
            done += 1
        accepted += done - known
        done = min(done + 1, len(chunk))
        for end in range(known, done):
            run = min(end, LONGEST)
            context.learn(chunk[end - run : end + 1], run)
    return drafted, accepted
