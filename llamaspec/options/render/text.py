"""What every rendering of the table says of a flag: its spelling, its default, its sections."""

from collections.abc import Iterator

from ..commands import Command
from ..flag import Flag, Status, default


def left(flag: Flag) -> str:
    """Names and metavars: "-c, --ctx-size N" or "--jinja / --no-jinja"."""
    names = ", ".join(flag.on) + (f" / {', '.join(flag.off)}" if flag.off else "")
    return " ".join((names, *flag.metavars))


def remarks(flag: Flag) -> str:
    """Default, older spellings and environment variables, in brackets behind the help."""
    parts = {Status.LATER: ["(no effect yet)"], Status.INERT: ["(ignored: does not apply)"]}.get(flag.status, [])
    parts += [f"(default: {default(flag)})"] if default(flag) else []
    if flag.old:
        parts.append(f"(older: {', '.join(flag.old)})")
    if flag.env:
        parts.append(f"(env: {', '.join(reversed(flag.env))})")
    return " ".join(parts)


def sections(command: Command) -> Iterator[tuple[str, list[Flag]]]:
    """Title and flags of each option group of a command."""
    for group in command.groups:
        title = (group.__doc__ or "").strip().rstrip(".")
        if flags := [flag for flag in command.flags if flag.group == group.__name__.lower()]:
            yield title, flags


def waiting(command: Command, status: Status) -> list[str]:
    """Spellings of llama.cpp's flags that have this status here."""
    return [name for flag in command.extra if flag.status is status for name in flag.names]


WAITING = (
    (Status.LATER, "llama.cpp's options that are accepted with a warning, because they have no effect yet"),
    (Status.INERT, "llama.cpp's options that are accepted and ignored, because they do not apply here"),
    (Status.REFUSED, "llama.cpp's options that are not supported yet (error)"),
)
