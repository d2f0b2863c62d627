"""A corpus to draft from: a file of tokens."""

import sys
from array import array
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from ..errors import LlamaspecError, UsageError

LONGEST = 1 << 19
"""Tokens that a corpus may have: its automaton needs about 700 bytes for each."""


def read_corpus(source: str | bytes | PathLike[str] | Sequence[int]) -> Sequence[int]:
    """Tokens of a file of little-endian int32 values, of such bytes, or the tokens themselves.

    Raises LlamaspecError, naming the file, if it is absent, not of that form, or has more than 524,288 tokens.
    """
    if not isinstance(source, (str, bytes, PathLike)):
        return _checked(source, "the corpus")
    if isinstance(source, bytes):
        return _checked(_unpacked(source, "the corpus"), "the corpus")
    try:
        size = Path(source).stat().st_size
        content = Path(source).read_bytes() if size <= 4 * LONGEST else b""
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LlamaspecError(f"cannot read the corpus {source}: {reason}", "give a file of int32 tokens") from None
    if size > 4 * LONGEST:
        raise _too_long(str(source), size // 4)
    return _checked(_unpacked(content, str(source)), str(source))


def _unpacked(content: bytes, name: str) -> Sequence[int]:
    if len(content) % 4:
        why = f"its size, {len(content)} bytes, is no multiple of 4"
        raise LlamaspecError(f"{name} is not a file of int32 tokens: {why}", "tokenize the text first")
    tokens = array("i", content)
    if sys.byteorder == "big":
        tokens.byteswap()
    return tokens


def _checked(tokens: Sequence[int], name: str) -> Sequence[int]:
    if len(tokens) > LONGEST:
        raise _too_long(name, len(tokens))
    if tokens and min(tokens) < 0:
        raise LlamaspecError(f"{name} has the token {min(tokens)}", "tokenize the text first")
    return tokens


def _too_long(name: str, n: int) -> LlamaspecError:
    return UsageError(f"{name} has {n:,} tokens, but a corpus may have {LONGEST:,}", "leave parts of it out")
