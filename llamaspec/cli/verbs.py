"""The verbs: Typer knows them, the option table knows the flags."""

import difflib
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ..errors import UsageError
from ..options.commands import COMMANDS, DEMO, FLAGS, LOOKUP_CREATE, LOOKUP_MERGE, LOOKUP_STATS, RUN, SHOW, Command
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
    """Verbs; `run` is meant when the first word is a flag, or there is none."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts the verb in front. Raises UsageError for a first word that is none."""
        verbs = [command.name for command in COMMANDS]
        if not args or args[0].startswith("-"):
            args = [RUN.name, *args]
        elif args[0] not in verbs:
            near = difflib.get_close_matches(args[0], verbs, n=1, cutoff=0.5)
            guess = f" (did you mean {near[0]}?)" if near else ""
            raise UsageError(
                f"no command '{args[0][:80]}'{guess}",
                f"commands are {', '.join(verbs)}; a prompt goes after -p, a model after -m",
            )
        return super().parse_args(ctx, args)


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
    elif about.completion_bash:
        from ..options.render.bash import bash_text

        terminal.answer(bash_text())
    else:
        for note in groups.notes:
            if note.level <= groups.log.verbosity:
                terminal.say(f"{'warning' if note.level <= 2 else 'note'}: {note.text}")
        return groups
    return None


# A verb's callback returns its work instead of doing it: signals and errors of the work are none of Typer's business.


@app.command(RUN.name, cls=FlagCommand, help=RUN.summary)
def _run(ctx: typer.Context) -> Callable[[], int]:
    def work(groups: Groups) -> int:
        from .run import run

        return run(groups)

    return _job(RUN, ctx.args, work)


@app.command(DEMO.name, cls=FlagCommand, help=DEMO.summary)
def _demo(ctx: typer.Context) -> Callable[[], int]:
    def work(groups: Groups) -> int:
        from .demo import demo

        return demo(groups)

    return _job(DEMO, ctx.args, work)


@app.command(SHOW.name, cls=FlagCommand, help=SHOW.summary)
def _show(ctx: typer.Context) -> Callable[[], int]:
    def work(groups: Groups) -> int:
        from .show import show

        return show(groups)

    return _job(SHOW, ctx.args, work)


@app.command(FLAGS.name, cls=FlagCommand, help=FLAGS.summary)
def _flags(ctx: typer.Context) -> Callable[[], int]:
    def work(groups: Groups) -> int:
        from .flags import flags

        return flags(groups)

    return _job(FLAGS, ctx.args, work)


@app.command(LOOKUP_CREATE.name, cls=FlagCommand, help=LOOKUP_CREATE.summary)
def _lookup_create(ctx: typer.Context) -> Callable[[], int]:
    def work(groups: Groups) -> int:
        from .lookup import create

        return create(groups)

    return _job(LOOKUP_CREATE, ctx.args, work)


@app.command(LOOKUP_MERGE.name, cls=FlagCommand, help=LOOKUP_MERGE.summary)
def _lookup_merge(ctx: typer.Context) -> Callable[[], int]:
    def work(groups: Groups) -> int:
        from .lookup import merge

        return merge(groups)

    return _job(LOOKUP_MERGE, ctx.args, work)


@app.command(LOOKUP_STATS.name, cls=FlagCommand, help=LOOKUP_STATS.summary)
def _lookup_stats(ctx: typer.Context) -> Callable[[], int]:
    def work(groups: Groups) -> int:
        from .lookup import stats

        return stats(groups)

    return _job(LOOKUP_STATS, ctx.args, work)


def _job(command: Command, words: list[str], work: Callable[[Groups], int]) -> Callable[[], int]:
    """Reads the command line, then works; 0 when it only asked for help and the like."""

    def job() -> int:
        groups = _said(command, words)
        return 0 if groups is None else work(groups)

    return job
