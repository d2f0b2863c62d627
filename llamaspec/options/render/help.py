"""The text of --help, in llama-cli's layout: names on the left, explanations from column 40."""

import textwrap

from ..commands import COMMANDS, RUN, Command
from .text import WAITING, left, remarks, sections, waiting

COLUMN = 40


def usage(command: Command) -> str:
    """The first line."""
    operand = f" [{command.operand}]" if command.operand else ""
    name = "[run]" if command is RUN else command.name
    return f"usage: llamaspec {name} [options]{operand}"


def help_text(command: Command, width: int = 100) -> str:
    """Everything a command understands."""
    lines = [usage(command), "", *textwrap.wrap(command.summary, width), ""]
    if command is RUN:
        listed = (entry(f"  {other.name}", other.summary, width) for other in COMMANDS)
        lines += ["commands:", *(line for lines in listed for line in lines), ""]
    for title, flags in sections(command):
        lines += [f"----- {title} -----", ""]
        for flag in flags:
            lines += entry(left(flag), f"{flag.help} {remarks(flag)}".rstrip(), width)
        lines.append("")
    for status, title in WAITING:
        if names := waiting(command, status):
            lines += [f"{title}:", *_wrapped(" ".join(names), "  ", width), ""]
    return "\n".join(lines).rstrip() + "\n"


def entry(names: str, text: str, width: int = 100) -> list[str]:
    """One flag; names that are too long for the column get a line of their own."""
    body = _wrapped(text, " " * COLUMN, width)
    if len(names) < COLUMN:
        return [names.ljust(COLUMN) + body[0].lstrip(), *body[1:]] if body else [names]
    return [names, *body]


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, max(width, COLUMN + 20), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
