"""The line editor of a chat: several lines, paste, history, completion, and a status bar."""

import errno
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output import create_output
from prompt_toolkit.styles import Style

from ..options.commands import RUN
from ..options.speculation import AVAILABLE
from . import runner, terminal
from .history import KeptHistory, history_file
from .slash import LIVE_KEYS, Slash

if TYPE_CHECKING:
    from .console import Console

FILES = ("/read ", "/load ", "/save ", "/glob ")


class Editor:
    """Asks for a message. What it draws goes to stderr: stdout is for answers."""

    def __init__(self, console: "Console") -> None:
        self.console = console
        kept = console.groups.chat.history
        history: History = KeptHistory(history_file(os.environ)) if kept else InMemoryHistory()
        plain = not terminal.colours(console.groups.log.color, sys.stderr)
        look = "noreverse" if plain else "noreverse fg:ansibrightblack"
        self.session: PromptSession[str] = PromptSession(
            "> ", multiline=True, history=history, completer=Suggestions(), complete_while_typing=False,
            key_bindings=_keys(console.groups.chat.multiline_input), output=create_output(sys.stderr),
            prompt_continuation=lambda width, number, wrapped: ". ".rjust(width),
            bottom_toolbar=self._bar, style=Style.from_dict({"bottom-toolbar": look, "bottom-toolbar.text": look}),
            enable_suspend=True,
        )  # fmt: skip

    def ask(self, default: str = "") -> str | None:
        """The next message; None at the end (Ctrl-D). Raises KeyboardInterrupt for Ctrl-C."""
        try:
            return self.session.prompt(default=default)
        except EOFError:
            return None
        except Exception as error:  # termios.error is no OSError
            if error.args[:1] != (errno.EIO,):
                raise
            return None  # the terminal is gone
        finally:
            runner.INTERRUPTS.install()  # prompt_toolkit has its own handler while it reads

    def _bar(self) -> str:
        """Model, drafters, context, speed, acceptance, speed-up: as many as fit, the first ones first."""
        columns = self.session.output.get_size().columns
        shown = ""
        for part in self.parts():
            longer = f"{shown} | {part}" if shown else part
            if len(longer) > columns:
                break
            shown = longer
        return shown

    def parts(self) -> list[str]:
        """The status bar's entries."""
        groups, stop = self.console.groups, self.console.stop
        found = [terminal.visible(os.path.basename(groups.model.model).removesuffix(".gguf"))]
        used = stop.timings.cache_n + stop.timings.prompt_n + stop.timings.predicted_n if stop is not None else 0
        context = self.console.llm.n_ctx
        found.append(f"{min(used, context)}/{context} tokens")
        if stop is not None:
            found.append(f"{stop.timings.predicted_per_second:.1f} t/s")
        if stop is not None and stop.timings.draft_n:
            found.append(f"{stop.timings.draft_n_accepted / stop.timings.draft_n:.0%} accepted")
        if stop is not None and stop.timings.plain_s:
            found.append(f"{stop.timings.speed_up:.2f}x")
        if groups.drafters:
            found.append(", ".join(groups.drafters))
        return found


class Suggestions(Completer):
    """Commands, and what may follow them: file names, flags, drafters."""

    def __init__(self) -> None:
        self.paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """What TAB offers."""
        text = document.text_before_cursor
        if text.startswith(FILES):
            name = text.split(" ", 1)[1].lstrip()
            yield from self.paths.get_completions(Document(name, len(name)), complete_event)
        elif text.startswith("/spec "):
            yield from _offered(text.split(" ")[-1], ("none", *AVAILABLE))
        elif text.startswith("/set ") and text.count(" ") == 1:
            names = (flag.long.lstrip("-") for flag in RUN.flags if flag.group == "sampling" or flag.key in LIVE_KEYS)
            yield from _offered(text.split(" ")[-1], names)
        elif text.startswith("/") and " " not in text:
            yield from _offered(text, (f"/{name}" for name in Slash.names()))


def _offered(begun: str, words: Any) -> Iterator[Completion]:
    for word in words:
        if word.startswith(begun):
            yield Completion(word, -len(begun))


def _keys(inverted: bool) -> KeyBindings:
    r"""Enter sends, Alt-Enter or a \ before Enter breaks the line; inverted (-mli) the other way round."""
    bindings = KeyBindings()

    def new_line(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    def send(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    @bindings.add("enter")
    def _(event: Any) -> None:
        buffer = event.current_buffer
        marked = buffer.document.char_before_cursor == "\\"
        if marked:
            buffer.delete_before_cursor()
        (new_line if marked != inverted else send)(event)

    bindings.add("escape", "enter")(send if inverted else new_line)
    return bindings
