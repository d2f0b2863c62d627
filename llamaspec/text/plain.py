"""A text file and nothing else: what corpora are read with, where a wrong byte would silently spoil the counts."""

from pathlib import Path

from ..errors import LlamaspecError

LONGEST = 256 * 2**20
"""Bytes that a text file may have."""


def plain_text(path: str, longest: int = LONGEST) -> str:
    """The whole file. Raises LlamaspecError, naming it, if it cannot be read, is too long, or is not UTF-8 text."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(longest + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise LlamaspecError(f"cannot read '{path}': {reason}", "give a text file") from None
    return decoded(data, path, longest)


def decoded(data: bytes, name: str, longest: int = LONGEST) -> str:
    """Bytes as text. Raises LlamaspecError, saying where, for more than `longest`, a NUL, or what is not UTF-8."""
    if len(data) > longest:
        raise LlamaspecError(f"{name} is longer than {longest >> 20} MiB", "give a part of it")
    if (at := data.find(0)) >= 0:
        raise LlamaspecError(f"{name} is not a text file: it has a NUL at byte {at}", "give a text file in UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"byte {error.start} is not UTF-8"
        raise LlamaspecError(f"{name} is not a text file: {where}", "give a text file in UTF-8") from None
