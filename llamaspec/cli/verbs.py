"""The verbs as a Typer application, and words that are no verbs. The option table reads the flags.

`dispatch` asks it only for a first word that it does not know itself.
"""

import difflib
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ..errors import UsageError
from ..options.commands import COMMANDS, RUN, Command
from .dispatch import meant, obey


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
    if (found := meant(args)) is not None:
        command, words = found
        return [command.name, *words]
    verbs = [command.name for command in COMMANDS]
    first, *rest = args
    if first == "help" and (not rest or rest[0] in verbs):
        return [rest[0] if rest else RUN.name, "--help"]
    if first == "help":
        first = rest[0]
    if first == "chat":
        return [RUN.name, "-cnv", *rest]
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


def _register(command: Command) -> None:
    """Makes Typer know a verb. Its callback returns the work, whose signals and errors are none of Typer's business."""

    @app.command(command.name, cls=FlagCommand, help=command.summary)
    def verb(ctx: typer.Context) -> Callable[[], int]:
        return lambda: obey(command, ctx.args)


for _command in COMMANDS:
    _register(_command)
