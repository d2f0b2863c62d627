"""A corpus to draft from: a file of tokens, or a text."""

import sys
from array import array
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from ..errors import LlamaspecError, UsageError
from ..text.plain import plain_text
from ..text.tokenizer import Tokenizer

LONGEST = 1 << 19
"""Tokens that a corpus may have: its automaton needs about 500 bytes for each."""
BYTES_PER_TOKEN = 64
"""No text that fits has more; a longer file is refused before it is tokenized."""


def read_corpus(source: str | bytes | PathLike[str] | Sequence[int], n_vocab: int = 0) -> Sequence[int]:
    """Tokens of a file of little-endian int32 values, of such bytes, or the tokens themselves.

    Raises LlamaspecError, naming the file, if it is absent, not of that form, has more than 524,288 tokens, or one
    that is none of the model's n_vocab (0 = unknown).
    """
    if not isinstance(source, (str, bytes, PathLike)):
        return _checked(source, "the corpus", n_vocab)
    if isinstance(source, bytes):
        return _checked(_unpacked(source, "the corpus"), "the corpus", n_vocab)
    return _checked(_unpacked(_content(source), str(source)), str(source), n_vocab)


def text_corpus(path: str, tokenizer: Tokenizer) -> list[int]:
    """The tokens of a text file, without BOS and EOS, marks such as <|im_end|> read as text.

    Raises LlamaspecError, naming the file, if it is no text, UsageError if it has more than 524,288 tokens.
    """
    tokens = tokenizer.encode(plain_text(path, BYTES_PER_TOKEN * LONGEST), False, False)
    if len(tokens) > LONGEST:
        raise _too_long(path, len(tokens))
    return tokens


def _content(source: str | PathLike[str]) -> bytes:
    try:
        size = Path(source).stat().st_size
        content = Path(source).read_bytes() if size <= 4 * LONGEST else b""
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LlamaspecError(f"cannot read the corpus {source}: {reason}", "give a file of int32 tokens") from None
    if size > 4 * LONGEST:
        raise _too_long(str(source), size // 4)
    return content


def _unpacked(content: bytes, name: str) -> Sequence[int]:
    if len(content) % 4:
        why = f"its size, {len(content)} bytes, is no multiple of 4"
        raise LlamaspecError(f"{name} is not a file of int32 tokens: {why}", "tokenize the text first")
    tokens = array("i", content)
    if sys.byteorder == "big":
        tokens.byteswap()
    return tokens


def _checked(tokens: Sequence[int], name: str, n_vocab: int) -> Sequence[int]:
    if len(tokens) > LONGEST:
        raise _too_long(name, len(tokens))
    if tokens and min(tokens) < 0:
        raise LlamaspecError(f"{name} has the token {min(tokens)}", "tokenize the text first")
    if tokens and 0 < n_vocab <= max(tokens):
        raise LlamaspecError(
            f"{name} has the token {max(tokens)}, but the model has only {n_vocab}",
            hint="tokenize the text with the model's own tokenizer",
        )
    return tokens


def _too_long(name: str, n: int) -> LlamaspecError:
    return UsageError(f"{name} has {n:,} tokens, but a corpus may have {LONGEST:,}", "leave parts of it out")
