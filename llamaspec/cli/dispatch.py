"""From the words of a command line to the work of a verb. It imports the option table and nothing else."""

import importlib
from collections.abc import Callable, Sequence

from ..options.commands import COMMANDS, RUN, Command
from ..options.groups import Groups
from ..options.parse import parse
from . import terminal


def command_line(words: Sequence[str]) -> int:
    """Does what a command line says, and returns the exit code.

    A verb, a flag or a GGUF file in front is dispatched at once. For other words Typer is imported, which takes longer
    than the rest of the start-up: it knows what `help` and `chat` mean, and which words are no commands.
    """
    found = meant(words)
    if found is None:
        from .verbs import app

        return app(list(words), standalone_mode=False)()
    return obey(*found)


def meant(words: Sequence[str]) -> tuple[Command, list[str]] | None:
    """The command and its words; `run` if the first word is a flag or a GGUF file, or there is none. None = unknown."""
    if not words or words[0].startswith("-"):
        return RUN, list(words)
    first, *rest = words
    for command in COMMANDS:
        if command.name == first:
            return command, rest
    return (RUN, ["-m", first, *rest]) if first.lower().endswith(".gguf") else None


def obey(command: Command, words: Sequence[str]) -> int:
    """Parses the words and does the command's work; returns the exit code. Raises UsageError."""
    groups = parse(command, words)
    if (text := about(command, groups)) is not None:
        terminal.answer(text)
        return 0
    if {"log_file", "log_jsonl", "log_prefix", "log_timestamps"} & groups.said.keys():
        from .logfile import Journal

        terminal.write_messages(Journal(groups.log))
    for note in groups.notes:
        if note.level <= groups.log.verbosity:
            terminal.say(f"{'warning' if note.level <= 2 else 'note'}: {note.text}")
    return _work(command)(groups)


def about(command: Command, groups: Groups) -> str | None:
    """What a flag such as --help or --version prints; None without one of them."""
    asked = groups.about
    if asked.help or asked.short_help:
        import shutil

        from ..options.render.help import help_text, short_help

        page = help_text if asked.help else short_help
        return page(command, min(shutil.get_terminal_size((100, 24)).columns, 120))
    if asked.version:
        from .. import __version__

        return f"llamaspec {__version__}\n"
    if asked.list_devices:
        from ..engine.devices import lines

        return "".join(f"{line}\n" for line in lines())
    if asked.cache_list:
        from .models import cache_list

        return cache_list()
    if asked.completion_bash:
        from ..options.render.bash import bash_text

        return bash_text()
    return None


def _work(command: Command) -> Callable[[Groups], int]:
    """The function that does a command's work; its module is imported now, not when the program starts."""
    module, _, function = (command.work or f"{command.name}.{command.name}").partition(".")
    return getattr(importlib.import_module(f"llamaspec.cli.{module}"), function)
