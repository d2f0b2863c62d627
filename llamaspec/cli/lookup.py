"""`llamaspec lookup-create | lookup-merge | lookup-stats`: the lookup files of ngram-cache."""

import json
import sys
from typing import Any

from ..drafting.lookup_cache import LookupCache
from ..errors import UsageError
from ..measure import lookup
from ..options.groups import Groups
from ..options.values import unescape
from ..text.plain import LONGEST, decoded, plain_text
from ..text.tokenizer import Tokenizer
from ..weights.file import GGUFFile
from . import terminal
from .fetch import fetched
from .prompt import STDIN

UNKNOWN_CONTEXT = 4096
"""Tokens of a chunk for a file that does not say its context."""


def create(groups: Groups) -> int:
    """Tokenizes a text and writes what followed each pair of its tokens to the file of -lcs."""
    target = groups.speculation.lookup_cache_static
    if not target:
        raise UsageError("lookup-create needs a file to write", "lookup-create -m MODEL.gguf -f TEXT -lcs OUTPUT")
    tokens = _Read(groups).tokens
    cache = lookup.create(tokens)
    _told(groups, f"{len(tokens)} tokens")
    _written(groups, cache, target, tokens=len(tokens))
    return 0


def merge(groups: Groups) -> int:
    """Adds files up; the last name is the output, which may be one of the inputs."""
    if len(groups.operands) < 2:
        raise UsageError("lookup-merge needs files to read and one to write", "lookup-merge PART... OUTPUT")
    *parts, target = groups.operands
    cache = lookup.merge(parts, lambda name: _told(groups, f"reading {name}"))
    _written(groups, cache, target, files=len(parts))
    return 0


def stats(groups: Groups) -> int:
    """Replays a text in chunks of the context and prints what would have been drafted; no file is changed."""
    spec = groups.speculation
    read = _Read(groups)
    n_ctx, n = groups.context.ctx_size or read.trained, len(read.tokens)
    if n <= n_ctx:
        _told(groups, f"no chunk of {n_ctx} tokens is tried, the text has {n}; -c makes chunks smaller")
    files = (spec.lookup_cache_static or None, spec.lookup_cache_dynamic or None)
    exact = spec.compat != "own"
    trial = lookup.stats(read.tokens, n_ctx, groups.draft.n_max, *files, table_ties=exact, n_vocab=read.n_vocab)
    if groups.log.json:
        names = ("n_draft", "n_predict", "n_drafted", "n_accept")
        found = {name: getattr(trial, name) for name in names}
        found |= {"t_draft_flat_ms": 1e3 * trial.s_flat, "t_draft_ms": 1e3 * trial.s_draft, "accept": trial.rate}
        terminal.answer(json.dumps(found) + "\n")
    else:
        terminal.answer("".join(f"{line}\n" for line in trial.lines()))
    return 0


def _written(groups: Groups, cache: LookupCache, target: str, **facts: Any) -> None:
    cache.write(target)
    if groups.log.json:
        found = {**facts, "ngrams": len(cache), "file": target}
        terminal.answer(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        _told(groups, f"{len(cache)} n-grams written to {target}")


class _Read:
    """A text as the model reads a prompt: tokens. trained: the model's own context. n_vocab: of its tokenizer."""

    def __init__(self, groups: Groups) -> None:
        path = fetched(groups).model.model
        if not path:
            raise UsageError("no model given", "give a GGUF file with -m: its tokenizer reads the text")
        text = _text(groups)
        with GGUFFile(path) as file:
            metadata = file.metadata.with_overrides(groups.model.override_kv)
            tokenizer = Tokenizer.from_metadata(metadata)
            trained = metadata.get("context_length")
        for line in tokenizer.warnings:
            _told(groups, line)
        self.tokens = tokenizer.encode(text, True, True)
        self.n_vocab = tokenizer.n_vocab
        self.trained = trained if isinstance(trained, int) and trained > 0 else UNKNOWN_CONTEXT


def _text(groups: Groups) -> str:
    """The text of -f, -p or standard input, with escapes expanded as in a prompt. Raises LlamaspecError."""
    chat = groups.chat
    if chat.file and chat.file != STDIN:
        text = plain_text(chat.file).removesuffix("\n")
    elif chat.prompt is not None and chat.prompt != STDIN:
        text = chat.prompt
    elif sys.stdin is None or terminal.is_terminal(sys.stdin):
        raise UsageError("no text given", "give a file with -f, or pipe it in")
    else:
        text = decoded(sys.stdin.buffer.read(LONGEST + 1), "standard input").removesuffix("\n")
    if not text:
        raise UsageError("the text is empty", "give a file with -f, or pipe it in")
    return unescape(text) if chat.escape else text


def _told(groups: Groups, line: str) -> None:
    if groups.log.verbosity >= 2:
        terminal.say(f"note: {line}")
