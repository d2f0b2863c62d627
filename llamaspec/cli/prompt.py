"""Where the first message comes from, and the files that flags name."""

import sys
from pathlib import Path

from ..errors import LlamaspecError, UsageError
from ..options.groups import Groups
from ..options.keywords import override
from ..options.values import unescape
from . import terminal

LONGEST_FILE = 256 * 2**20
STDIN = "-"
"""The name of standard input in -f and -p."""


def prepared(groups: Groups) -> Groups:
    """Groups with file contents in place of file names, and with escapes expanded where llama.cpp does so."""
    chat = groups.chat
    words: dict[str, object] = {}
    if chat.chat_template_file:
        words["chat_template"] = read_text(chat.chat_template_file, flag="--chat-template-file")
    elif chat.chat_template:
        from ..text.named import source

        words["chat_template"] = source(chat.chat_template)
    if chat.escape:
        if chat.reverse_prompt:
            words["reverse_prompt"] = [unescape(text) for text in chat.reverse_prompt]
        if "dry_sequence_breaker" in groups.said:
            words["dry_sequence_breaker"] = [unescape(text) for text in groups.sampling.dry_sequence_breakers] or "none"
    return override(groups, **words) if words else groups


def first_prompt(groups: Groups) -> str | None:
    """The prompt of -p, -f or -bf, else what is piped in; None = ask the person at the terminal.

    Raises LlamaspecError for files that cannot be read, UsageError when there is nobody to ask.
    """
    chat = groups.chat
    warn = groups.log.verbosity >= 2
    if chat.binary_file:
        return read_text(chat.binary_file, warn, "-bf")
    text = chat.prompt
    if STDIN in (chat.file, chat.prompt):
        text = _piped(warn)
    elif chat.file:
        text = read_text(chat.file, warn, "-f").removesuffix("\n")
    if text is not None:
        return unescape(text) if chat.escape else text
    if terminal.is_terminal(sys.stdin) or chat.conversation:
        return None
    piped = _piped(warn)
    if not piped:
        raise UsageError("no prompt given", "give one with -p or -f, or pipe it in")
    return piped


def system_message(groups: Groups) -> str | None:
    """-sys or the contents of -sysf."""
    if groups.chat.system_prompt_file:
        return read_text(groups.chat.system_prompt_file, flag="-sysf").removesuffix("\n")
    return groups.chat.system_prompt


def read_text(name: str, warn: bool = False, flag: str = "") -> str:
    """A whole text file; bytes that are not UTF-8 become U+FFFD, which warn tells. Raises LlamaspecError.

    flag: what named the file, for the hint.
    """
    try:
        with Path(name).open("rb") as file:
            data = file.read(LONGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        hint = f"check the name given with {flag}" if flag else ""
        raise LlamaspecError(f"cannot read '{name}': {reason}", hint) from None
    return _decoded(data, f"'{name}'", warn)


def _piped(warn: bool) -> str:
    if sys.stdin is None:
        return ""
    return _decoded(sys.stdin.buffer.read(LONGEST_FILE + 1), "standard input", warn).removesuffix("\n")


def _decoded(data: bytes, name: str, warn: bool) -> str:
    if len(data) > LONGEST_FILE:
        raise LlamaspecError(f"{name} is longer than {LONGEST_FILE >> 20} MiB", "no model can read that much")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if warn:
            terminal.say(f"warning: {name} is not UTF-8 from byte {error.start} on; such bytes are read as U+FFFD")
        return data.decode("utf-8", "replace")
