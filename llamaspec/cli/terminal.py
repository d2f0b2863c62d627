"""stdout for the answer, stderr for everything else: checked writes, visible control characters, colours."""

import contextlib
import os
import re
import sys
from collections.abc import Iterable
from typing import Protocol, TextIO

from ..errors import LlamaspecError

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
NARROWEST = 20
"""Columns below which messages are left to the terminal."""
_BOLD_RED, _MAGENTA, _RESET = "\x1b[1;31m", "\x1b[35m", "\x1b[0m"


def visible(text: str) -> str:
    r"""Text that cannot steer a terminal: C0 (but newline and tab), DEL and C1 become pictures or \x escapes.

    >>> visible("a\x1b[2Jb\x85")
    'a␛[2Jb\\x85'
    """

    def picture(match: re.Match[str]) -> str:
        code = ord(match.group())
        return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else f"\\x{code:02x}"

    return _CONTROL.sub(picture, text)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at it."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def colours(wanted: str, stream: TextIO | None) -> bool:
    """--color on|off|auto: auto needs a terminal that is not dumb, and no NO_COLOR."""
    if wanted != "auto":
        return wanted == "on"
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def answer(text: str, style: str | None = None) -> None:
    """Writes a piece of the answer and delivers it. On a terminal control characters are shown, not obeyed.

    Elsewhere the bytes are the model's own, in UTF-8. style: the numbers of a colour (SGR, as "36;4"), "" for none; an
    answer that has colours anywhere is shown as on a terminal. Raises LlamaspecError when it cannot be delivered, and
    BrokenPipeError when nobody reads it any more.
    """
    stream = sys.stdout
    if stream is None:
        raise LlamaspecError("cannot write the answer: standard output is closed")
    text = visible(text) if style is not None or is_terminal(stream) else text
    text = _styled(text, style or "")
    try:
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(text)
        else:
            binary.write(text.encode("utf-8", "replace"))
        stream.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise LlamaspecError(f"cannot write the answer: {getattr(error, 'strerror', None) or error}") from None
    if text:
        _cursor.column_zero = text.endswith("\n")


def _styled(text: str, style: str) -> str:
    """Coloured line by line, so that no colour is open where a line ends."""
    if not style:
        return text
    return "\n".join(f"\x1b[{style}m{line}{_RESET}" if line else "" for line in text.split("\n"))


class _Cursor:
    """Whether the answer so far ends a line, and whether a status line stands on stderr."""

    column_zero = True
    status = False


class Form(Protocol):
    """How messages are written, and where they are kept (cli/logfile.py)."""

    def shown(self, text: str) -> str:
        """A message as stderr gets it."""
        ...

    def keep(self, text: str) -> None:
        """Copies a message."""
        ...


class _Plain:
    """Messages as they are."""

    def shown(self, text: str) -> str:
        """The text."""
        return text

    def keep(self, text: str) -> None:
        """Nowhere."""


class _Messages:
    """The form that messages have from now on."""

    form: Form = _Plain()


def write_messages(form: Form) -> None:
    """Gives messages another form."""
    _Messages.form = form


def _noted(text: str) -> str:
    """A message in its form; a copy is kept."""
    _Messages.form.keep(text)
    return _Messages.form.shown(text)


_cursor = _Cursor()


def end_line() -> None:
    """A newline, if the answer lacks its last one."""
    if not _cursor.column_zero:
        answer("\n")


def abandon() -> None:
    """The answer ends in the middle of a line: messages start on a new one when both stand on the same terminal."""
    if not _cursor.column_zero and is_terminal(sys.stdout) and is_terminal(sys.stderr):
        say("")
        _cursor.column_zero = True


def _columns() -> int:
    """The width of the terminal on stderr; 0 = there is none."""
    try:
        if sys.stderr is not None and is_terminal(sys.stderr):
            return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):  # no device: a stand-in
        pass
    return 0


def folded(text: str) -> str:
    """A message on several lines, broken between words, where a terminal on stderr is too narrow for it."""
    columns = _columns()
    if columns < NARROWEST or all(len(line) <= columns for line in text.split("\n")):
        return text
    import textwrap

    margin = " " * (len(text) - len(text.lstrip(" ")))
    wrapped = (
        textwrap.wrap(line, columns, subsequent_indent=margin, break_on_hyphens=False) or [""]
        for line in text.split("\n")
    )
    return "\n".join(line for lines in wrapped for line in lines)


def say(line: str, colour: bool = False) -> None:
    """A line on stderr; a stderr that cannot be written is no reason to stop."""
    if sys.stderr is None:
        return
    text = folded(_noted(visible(line)))
    status("")
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{_MAGENTA}{text}{_RESET}\n" if colour else f"{text}\n")
        sys.stderr.flush()


def status(text: str) -> None:
    """A line on stderr that the next message replaces; "" takes it away. Only where a person looks at stderr."""
    if sys.stderr is None or not (text or _cursor.status) or not is_terminal(sys.stderr):
        return
    _cursor.status = bool(text)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"\r\x1b[K{visible(text)}" if os.environ.get("TERM") != "dumb" else "")
        sys.stderr.flush()


def say_parts(parts: Iterable[tuple[str, str]]) -> None:
    """A line on stderr in pieces of text and style (as of `answer`)."""
    if sys.stderr is None:
        return
    parts = list(parts)
    _Messages.form.keep("".join(text for text, _ in parts))
    if (columns := _columns()) >= NARROWEST:
        from .wrap import wrapped

        parts = wrapped(parts, columns)
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write("".join(_styled(visible(text), style) for text, style in parts) + "\n")
        sys.stderr.flush()


def problem(message: str, hint: str = "") -> None:
    """An error and its cure; file names and texts of others are shown on one line."""
    message, hint = (" ".join(text.splitlines()) for text in (message, hint))
    status("")
    mark, reset = (_BOLD_RED, _RESET) if colours("auto", sys.stderr) else ("", "")
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError, ValueError, UnicodeError):
        line = folded(_noted(f"error: {_printable(message)}"))
        sys.stderr.write(f"{mark}error:{reset}{line[6:]}\n" if line.startswith("error:") else f"{line}\n")
        if hint:
            sys.stderr.write(folded(_noted(f"hint: {_printable(hint)}")) + "\n")
        sys.stderr.flush()


def _printable(text: str) -> str:
    """Without control characters and without halves of characters (file names may hold any bytes)."""
    return visible(text).encode("utf-8", "backslashreplace").decode("utf-8")
