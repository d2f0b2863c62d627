"""The texts of --help and -h, in llama-cli's layout: names on the left, explanations from column 40."""

import textwrap

from ..commands import COMMANDS, RUN, Command
from ..flag import Flag, default
from .text import WAITING, left, remarks, sections, waiting

COLUMN = 40
SHORT_COLUMN = 36
VERB_COLUMN = 18
NARROW = 72
"""Below this width explanations stand under the names."""
INDENT = 4


def usage(command: Command) -> str:
    """The first line."""
    operand = f" [{command.operand}]" if command.operand else ""
    name = "[run]" if command is RUN else command.name
    return f"usage: llamaspec {name} [options]{operand}"


def help_text(command: Command, width: int = 100) -> str:
    """Everything a command understands, by topic."""
    lines = _head(command, width, COLUMN)
    for title, flags in sections(command):
        lines += [f"----- {title} -----", ""]
        for flag in flags:
            lines += entry(left(flag), f"{flag.help} {remarks(flag)}".rstrip(), width)
        lines.append("")
    for status, title in WAITING:
        if names := waiting(command, status):
            lines += [*textwrap.wrap(f"{title}:", width), *_wrapped(" ".join(names), 2, width), ""]
    return "\n".join(lines).rstrip() + "\n"


def short_help(command: Command, width: int = 100) -> str:
    """The flags that most command lines are made of; all of them where the command has only few."""
    chosen = [flag for flag in command.flags if flag.common and flag.group not in ("log", "about")]
    if not chosen:
        return help_text(command, width)
    lines = _head(command, width, VERB_COLUMN)
    for title, flags in sections(command):
        if common := [flag for flag in flags if flag.common]:
            lines.append(f"{title}:")
            for flag in common:
                lines += entry(_names(flag), _brief(flag), width, SHORT_COLUMN)
    more = f"`llamaspec {command.name} --help` prints all {len(command.flags)} options, `llamaspec flags TEXT` some."
    return "\n".join([*lines, "", *textwrap.wrap(more, width)]) + "\n"


def _head(command: Command, width: int, column: int) -> list[str]:
    lines = [usage(command), "", *textwrap.wrap(command.summary, width), ""]
    if command is RUN:
        listed = (entry(f"  {other.name}", other.summary, width, column) for other in COMMANDS if other is not RUN)
        lines += ["Other commands:", *(line for lines in listed for line in lines), ""]
    return lines


def _names(flag: Flag) -> str:
    """A short and a long spelling: "  -m, --model FNAME"."""
    names = dict.fromkeys((flag.on[0], flag.long))
    return "  " + " ".join((", ".join(names), *(f"/ {name}" for name in flag.off[:1]), *flag.metavars))


def _brief(flag: Flag) -> str:
    """A flag's help with its default in brackets, without environment variables and older spellings."""
    usual = default(flag)
    return f"{flag.help} ({usual})" if usual and usual != "none" and len(usual) < 16 else flag.help


def entry(names: str, text: str, width: int = 100, column: int = COLUMN) -> list[str]:
    """One flag; names that are too long for the column get a line of their own."""
    if width < NARROW:
        return [*_wrapped(names, 0, width), *_wrapped(text, INDENT, width)]
    body = _wrapped(text, column, width)
    if len(names) < column:
        return [names.ljust(column) + body[0].lstrip(), *body[1:]] if body else [names]
    return [names, *body]


def _wrapped(text: str, indent: int, width: int) -> list[str]:
    blank = " " * indent
    return textwrap.wrap(text, max(width, 20), initial_indent=blank, subsequent_indent=blank, break_on_hyphens=False)
