"""A chat at the terminal: a prompt, a streamed answer, and commands (cli/slash.py)."""

import sys
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ..engine.events import Progress, Stop, Text
from ..errors import LlamaspecError
from ..options.groups import Groups
from . import record, runner, terminal
from .budget import answered, opened
from .conversation import Conversation
from .paint import Paint, printable
from .reasoning import DIM, Reasoning, shown
from .run import Counter, around, tell
from .slash import Leave, Slash
from .wrap import Wrap

if TYPE_CHECKING:
    from ..engine.llm import LLM

INTRODUCTION = "/help lists the commands; Ctrl-C stops an answer, Ctrl-D leaves"
LONG = 256
"""Prompt tokens from which reading them shows its progress."""


class Console:
    """One conversation. load: makes an engine for changed groups (/spec). changes: what /set has changed."""

    def __init__(
        self, llm: "LLM", groups: Groups, messages: list[dict[str, str]], load: "Callable[[Groups], LLM] | None" = None
    ) -> None:
        self.llm, self.groups, self.load = llm, groups, load
        self.conversation = Conversation(messages[0]["content"] if messages else None)
        self.changes: dict[str, Any] = {}
        self.attempt = 0
        self.stop: Stop | None = None
        self.paint = Paint(groups)  # one for all answers: a drafter keeps its colour
        self.slash = Slash(self)
        self.line: Callable[..., str | None] = self._reader()

    def talk(self, first: str | None) -> int:
        """Asks and answers until the person leaves; returns the exit code. first: a turn that was given with -p."""
        if not self.llm.has_template:
            terminal.say("note: the model has no chat template, ChatML is used")
        if first is not None:
            terminal.say(f"> {first}")
            self._turn(first)
        elif self.groups.log.verbosity >= 2 and terminal.is_terminal(sys.stdin):
            terminal.say(INTRODUCTION)
        warned = False
        while not (self.groups.chat.single_turn and self.conversation.turns):
            try:
                text = self.line()
            except KeyboardInterrupt:
                runner.INTERRUPTS.settle()
                if warned:
                    return 130
                warned = True
                terminal.say("press Ctrl-C again or Ctrl-D to quit")
                continue
            warned = False
            if text is None:
                return 0
            try:
                self._said(text)
            except Leave:
                return 0
        return 0

    def _said(self, text: str) -> None:
        """A line from the person: a command, or a turn. Only `-st` lets its failure end the chat."""
        try:
            if is_command(text):
                self.slash.run(text)
            elif text.strip():
                self._turn(text)
        except LlamaspecError as error:
            if self.groups.chat.single_turn:
                raise
            terminal.abandon()
            terminal.problem(error.message, error.hint)

    def _turn(self, text: str) -> None:
        """Asks and answers; a turn that fails is forgotten, and its files wait for the next one."""
        staged = list(self.conversation.staged)
        self.conversation.ask(around(self.groups, text))
        self.attempt = 0
        try:
            self._answer()
        except LlamaspecError as error:
            self.conversation.take_turn()
            self.conversation.staged = staged
            if "-c " in error.hint:
                error.hint = "make room with /clear or /undo, or start again with a larger -c"
            raise

    def regenerate(self) -> None:
        """Another answer in place of the last one, which stays if that fails. Raises LlamaspecError."""
        last = self.conversation.take_answer()
        if last is None:
            raise LlamaspecError("nothing to regenerate", "there is no answer yet")
        self.attempt += 1
        try:
            self._answer()
        except BaseException:
            self.conversation.messages.append(last)
            self.attempt -= 1
            raise

    def edit(self, text: str) -> None:
        """Asks the last message anew: the given text, or what the person makes of the old one."""
        before = list(self.conversation.messages)
        old = self.conversation.take_turn()
        try:
            if old is None:
                raise LlamaspecError("nothing to edit", "there is no message yet")
            chat = self.groups.chat
            new = text or self.line(old.removeprefix(chat.in_prefix).removesuffix(chat.in_suffix))
            if new is None or not new.strip():
                raise LlamaspecError("nothing was changed")
            self._turn(new)
        except (LlamaspecError, KeyboardInterrupt):
            self.conversation.messages = before
            raise

    def reload(self, groups: Groups) -> None:
        """The engine for other groups; the conversation goes on. Raises LlamaspecError, and keeps the old one then."""
        if self.load is None:
            raise LlamaspecError("the drafters cannot change here")
        fresh = self.load(groups)
        self.llm.close()
        self.llm, self.groups = fresh, groups

    def _answer(self) -> None:
        """Streams an answer; Ctrl-C keeps the part that is there."""
        reasoning, counter = Reasoning(), Counter(self.groups.log.print_token_count)
        wrap = Wrap(terminal.answer) if terminal.is_terminal(sys.stdout) and not self.groups.chat.simple_io else None
        stop = Stop("interrupt")
        try:
            reasoning = Reasoning(opened(self._prompt()), plain=not self.groups.chat.parses_reasoning)
            with closing(answered(self.llm, self.groups, self.conversation.messages, self._words())) as events:
                for event in events:
                    if isinstance(event, Progress):
                        self._progress(event)
                    elif isinstance(event, Text):
                        counter.count(event)
                        self._write(reasoning, reasoning.feed(printable(event)), event, wrap)
                    elif isinstance(event, Stop):
                        stop = event
            self._write(reasoning, reasoning.finish(), Text(""), wrap)
        except KeyboardInterrupt:
            runner.INTERRUPTS.settle()
        finally:
            terminal.status("")
            if wrap is not None:
                wrap.flush()
        kept = reasoning.reasoning if self.groups.chat.reasoning_preserve else ""
        self.conversation.answer(reasoning.answer, kept)
        record.keep(self.groups, self.conversation.messages)
        terminal.end_line()
        self.paint.legend()
        if stop.reason != "interrupt":
            self.stop = stop
            tell(stop, self.groups, chat=True)

    def _write(self, reasoning: Reasoning, pieces: list[tuple[str, bool]], event: Text, wrap: Wrap | None) -> None:
        """Shows pieces of an answer; reasoning only to a person, dimmed where there are colours."""
        terminal.status("")
        for text, thought in shown(reasoning, pieces, self.groups):
            style = DIM if thought and terminal.colours(self.groups.log.color, sys.stdout) else None
            if style is None and self.paint.on:
                style = self.paint.style(event.by, event.depth)
            if wrap is not None:
                wrap.feed(terminal.visible(text), style or "")
            else:
                terminal.answer(text, style)

    def _prompt(self) -> str:
        """The text that the chat template makes of the conversation."""
        text = self.llm.render(self.conversation.messages)
        record.prompt(self.llm, self.groups, text)
        return text

    def _progress(self, event: Progress) -> None:
        if event.total >= LONG:
            terminal.status(f"reading the prompt: {event.done} of {event.total} tokens")

    def _words(self) -> dict[str, Any]:
        """What /set has changed, and another seed for another try when the seed was chosen."""
        seed = self.groups.sampling.seed
        again = {"seed": (seed + self.attempt) % 2**32} if seed >= 0 and self.attempt else {}
        return {**self.changes, **again}

    def _reader(self) -> Callable[..., str | None]:
        """A function that returns the next line, None at the end; it edits lines when a person types them."""
        if self.groups.chat.simple_io or not (terminal.is_terminal(sys.stdin) and terminal.is_terminal(sys.stderr)):
            return _piped_line
        from .editor import Editor

        return Editor(self).ask


def is_command(text: str) -> bool:
    """Whether a line is a command: a slash and a word; a path with a second slash or a blank in front is text.

    >>> is_command("/read notes.txt"), is_command("/etc/hosts is"), is_command(" /help")
    (True, False, False)
    """
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    return text.startswith("/") and word[1:].isalpha()


def _piped_line(default: str = "") -> str | None:
    line = sys.stdin.readline() if sys.stdin is not None else ""
    return line.rstrip("\n") if line else None
