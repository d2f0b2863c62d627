"""The commands of a chat: a method per command, whose name is what people type and whose docstring is its help."""

import base64
import glob
import os
import shutil
import sys
import textwrap
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import LlamaspecError, UsageError
from ..options.commands import RUN
from ..options.keywords import override
from . import report, terminal
from .conversation import LARGEST
from .prompt import read_text

if TYPE_CHECKING:
    from .console import Console

MOST_FILES = 100
HELP_COLUMN = 20
LIVE_KEYS = ("n_predict", "reverse_prompt", "special", "show_timings", "color_spec", "spec_stats", "verbosity")
"""Flags beside those of sampling that /set can change while the model is loaded."""


def _entry(name: str, text: str) -> None:
    """A line of /help, folded below itself where the terminal is narrow."""
    width = max(shutil.get_terminal_size((100, 24)).columns - HELP_COLUMN - 1, 16)
    first, *rest = textwrap.wrap(text, width) or [""]
    terminal.say(f"  {name.ljust(HELP_COLUMN - 3)} {first}")
    for line in rest:
        terminal.say(" " * HELP_COLUMN + line)


class Leave(Exception):
    """The person wants to leave."""


class Slash:
    """What a line that begins with a slash does to a chat."""

    def __init__(self, console: "Console") -> None:
        self.console = console

    @classmethod
    def names(cls) -> list[str]:
        """Commands, without their slash."""
        return [name.removeprefix("do_") for name in vars(cls) if name.startswith("do_")]

    def run(self, line: str) -> None:
        """Does what a line says. Raises LlamaspecError for a command that is none or that fails, Leave for /exit."""
        word, _, rest = line.strip()[1:].partition(" ")
        near = [name for name in self.names() if name.startswith(word)]
        if word not in self.names() and len(near) != 1:
            raise UsageError(
                f"unknown command '/{word[:40]}'", "/help lists them; a blank before the slash sends the line"
            )
        getattr(self, f"do_{word if word in self.names() else near[0]}")(rest.strip())

    def do_help(self, rest: str) -> None:
        """list the commands"""
        for name in self.names():
            usage, _, text = (getattr(self, f"do_{name}").__doc__ or "").rpartition(": ")
            _entry(f"/{name} {usage}".strip(), text)
        _entry("Enter", "send; Alt-Enter or a \\ at the end of a line starts a new line")
        _entry("TAB", "complete commands and file names")
        _entry("Ctrl-C, Ctrl-D", "stop an answer and keep it; leave")

    def do_exit(self, rest: str) -> None:
        """leave"""
        raise Leave

    def do_regen(self, rest: str) -> None:
        """another answer to the last message"""
        self.console.regenerate()

    def do_edit(self, rest: str) -> None:
        """[TEXT]: change the last message and answer it again"""
        self.console.edit(rest)

    def do_undo(self, rest: str) -> None:
        """forget the last message and its answer"""
        said = self.console.conversation.take_turn()
        terminal.say("nothing to undo" if said is None else f"forgotten: {said[:60]}")

    def do_clear(self, rest: str) -> None:
        """forget the conversation, and files that /read has added"""
        self.console.conversation.clear()
        terminal.say("conversation cleared")

    def do_read(self, rest: str) -> None:
        """FILE: add a text file to the next message"""
        if not rest:
            raise UsageError("/read needs the name of a file", "/read notes.txt")
        name = os.path.expanduser(rest)
        self.console.conversation.stage(rest, read_text(name))
        terminal.say(f"Loaded text from '{rest}'")

    def do_glob(self, rest: str) -> None:
        """PATTERN: add all text files that match, such as src/**/*.py"""
        if not rest:
            raise UsageError("/glob needs a pattern", "/glob src/**/*.py")
        pattern = os.path.expanduser(rest)
        found = sorted(filter(os.path.isfile, islice(glob.iglob(pattern, recursive=True), 10_000)))
        if not found:
            raise LlamaspecError(f"no file matches '{rest}'")
        total = 0
        for name in found[:MOST_FILES]:
            text = read_text(name)
            total += len(text)
            if total > LARGEST:
                raise LlamaspecError(f"the files of '{rest}' are longer than {LARGEST >> 20} MiB together")
            self.console.conversation.stage(name, text)
        more = f", {len(found) - MOST_FILES} more were left out" if len(found) > MOST_FILES else ""
        terminal.say(f"Loaded text from {min(len(found), MOST_FILES)} files{more}")

    def do_system(self, rest: str) -> None:
        """[TEXT]: change the system message, or show it"""
        conversation = self.console.conversation
        if rest:
            conversation.system(rest)
            terminal.say("system message changed")
            return
        now = [message["content"] for message in conversation.messages if message["role"] == "system"]
        terminal.say(now[0] if now else "there is no system message")

    def do_stats(self, rest: str) -> None:
        """all statistics, of the last answer and of the drafters since the start"""
        if self.console.stop is None:
            terminal.say("no answer yet")
            return
        for line in report.everything(self.console.stop, self.console.groups):
            terminal.say(line)

    def do_spec(self, rest: str) -> None:
        """TYPE: change the drafters, such as ngram-simple or none (loads the model again)"""
        if not rest:
            terminal.say(f"drafters: {', '.join(self.console.groups.drafters) or 'none'}")
            return
        self.console.reload(override(self.console.groups, spec_type=rest))
        terminal.say(f"drafters: {', '.join(self.console.groups.drafters) or 'none'}")

    def do_set(self, rest: str) -> None:
        """FLAG VALUE: change sampling, length or display, such as temp 0.2"""
        name, _, value = rest.replace("=", " ", 1).partition(" ")
        bare = name.lstrip("-").replace("_", "-")
        flag, on = RUN.table.get(f"--{bare}") or RUN.table.get(f"-{bare}") or (None, True)
        if flag is None:
            raise UsageError(f"unknown flag '{name[:40]}'", "/set FLAG VALUE, such as /set temp 0.2")
        if flag.group != "sampling" and flag.key not in LIVE_KEYS:
            raise UsageError(f"{flag.long} cannot change while the model is loaded", "start again with the flag")
        said: Any = value.strip()
        if flag.is_switch:
            said = on == (said in ("", "on", "1", "true"))
        self.console.groups = override(self.console.groups, **{flag.key: said})
        self.console.changes[flag.key] = said
        terminal.say(f"{flag.long} = {said}")

    def do_save(self, rest: str) -> None:
        """FILE: write the conversation to a file"""
        if not rest:
            raise UsageError("/save needs the name of a file", "/save chat.json")
        self.console.conversation.save(rest)
        terminal.say(f"saved to {rest}")

    def do_load(self, rest: str) -> None:
        """FILE: continue a conversation that /save has written"""
        if not rest:
            raise UsageError("/load needs the name of a file", "/load chat.json")
        self.console.conversation.load(os.path.expanduser(rest))
        terminal.say(f"loaded {self.console.conversation.turns} messages from {rest}")

    def do_copy(self, rest: str) -> None:
        """copy the last answer to the clipboard (terminals with OSC 52)"""
        text = self.console.conversation.last_answer()
        if not text:
            raise LlamaspecError("there is no answer to copy")
        if not terminal.is_terminal(sys.stderr):
            raise LlamaspecError("/copy needs a terminal")
        coded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
        sys.stderr.write(f"\x1b]52;c;{coded}\x07")
        sys.stderr.flush()
        terminal.say(f"copied {len(text)} characters, if the terminal allows it")
