"""The verbs: Typer knows them, the option table knows the flags."""

import difflib
import importlib
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ..errors import UsageError
from ..options.commands import COMMANDS, RUN, Command
from ..options.groups import Groups
from . import terminal


class FlagCommand(TyperCommand):
    """A verb whose words are read by the option table."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leaves every word to the table."""
        ctx.args = list(args)
        return []

    def get_help(self, ctx: Any) -> str:
        """The table's own help."""
        from ..options.render.help import help_text

        return help_text(next(command for command in COMMANDS if command.name == self.name))


class VerbGroup(TyperGroup):
    """Verbs; `run` is meant when the first word is a flag or a GGUF file, or there is none."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the verb in front. Raises UsageError for a first word that is none."""
        return super().parse_args(ctx, _verb_first(args))


def _verb_first(args: list[str]) -> list[str]:
    """The words with a verb in front: `help [VERB]`, `chat` and a file name stand for others."""
    verbs = [command.name for command in COMMANDS]
    first, *rest = args or [RUN.name]
    if first in verbs:
        return [first, *rest]
    if first.startswith("-"):
        return [RUN.name, *args]
    if first == "help":
        return [rest[0] if rest and rest[0] in verbs else RUN.name, "--help"]
    if first == "chat":
        return [RUN.name, "-cnv", *rest]
    if first.lower().endswith(".gguf"):
        return [RUN.name, "-m", first, *rest]
    if first in ABSENT:
        raise UsageError(f"there is no `llamaspec {first}` in this version", ABSENT[first])
    near = difflib.get_close_matches(first, verbs, n=1, cutoff=0.5)
    guess = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(
        f"unknown command '{first[:80]}'{guess}",
        f"commands are {', '.join(verbs)}; a prompt goes after -p, a model after -m",
    )


ABSENT = {
    "server": "`llamaspec run --json` answers one prompt for a program; in Python use llamaspec.load",
    "serve": "`llamaspec run --json` answers one prompt for a program; in Python use llamaspec.load",
    "bench": "`llamaspec demo` compares speed with and without speculation; --show-timings prints it for any model",
}
"""Verbs that people try, and what there is in their place."""


app = typer.Typer(
    cls=VerbGroup, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": []},
)  # fmt: skip


def _said(command: Command, words: list[str]) -> Groups | None:
    """The groups of a command line; None when it only asked for help and the like, which has been printed."""
    from ..options.parse import parse

    groups = parse(command, words)
    about = groups.about
    if about.help:
        import shutil

        from ..options.render.help import help_text

        terminal.answer(help_text(command, min(shutil.get_terminal_size((100, 24)).columns, 120)))
    elif about.version:
        from .. import __version__

        terminal.answer(f"llamaspec {__version__}\n")
    elif about.list_devices:
        from ..engine.devices import lines

        terminal.answer("".join(f"{line}\n" for line in lines()))
    elif about.cache_list:
        from .models import cache_list

        terminal.answer(cache_list())
    elif about.completion_bash:
        from ..options.render.bash import bash_text

        terminal.answer(bash_text())
    else:
        if {"log_file", "log_jsonl", "log_prefix", "log_timestamps"} & groups.said.keys():
            from .logfile import Journal

            terminal.write_messages(Journal(groups.log))
        for note in groups.notes:
            if note.level <= groups.log.verbosity:
                terminal.say(f"{'warning' if note.level <= 2 else 'note'}: {note.text}")
        return groups
    return None


def _work(command: Command) -> Callable[[Groups], int]:
    """The function that does a command's work; its module is imported now, not when the program starts."""
    module, _, function = (command.work or f"{command.name}.{command.name}").partition(".")
    return getattr(importlib.import_module(f"llamaspec.cli.{module}"), function)


def _register(command: Command) -> None:
    """Makes Typer know a verb. Its callback returns the work, whose signals and errors are none of Typer's business."""

    @app.command(command.name, cls=FlagCommand, help=command.summary)
    def verb(ctx: typer.Context) -> Callable[[], int]:
        words = ctx.args

        def job() -> int:
            groups = _said(command, words)
            return 0 if groups is None else _work(command)(groups)

        return job


for _command in COMMANDS:
    _register(_command)
