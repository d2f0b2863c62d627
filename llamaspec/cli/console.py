"""A chat at the terminal: a prompt, a streamed answer, and a few commands."""

import re
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ..engine.events import Stop, Text
from ..errors import LlamaspecError
from ..options.groups import Groups
from . import runner, terminal
from .paint import Paint
from .run import closable, tell

if TYPE_CHECKING:
    from ..engine.llm import LLM

INTRODUCTION = "/regen answers again, /clear forgets the conversation, /exit or Ctrl-D leaves, Ctrl-C stops an answer"


class Console:
    """One conversation. messages: the system message, if any; turns are added as they happen."""

    def __init__(self, llm: "LLM", groups: Groups, messages: list[dict[str, str]]) -> None:
        self.llm, self.groups = llm, groups
        self.system = messages
        self.messages = list(messages)
        self.attempt = 0
        self.paint = Paint(groups)  # one for all answers: a drafter keeps its colour
        self.line = _line_reader()

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
        while not (self.groups.chat.single_turn and len(self.messages) > len(self.system)):
            try:
                text = self.line()
            except KeyboardInterrupt:
                runner.INTERRUPTS.settle()
                if warned:
                    return 130
                warned = True
                terminal.say("Ctrl-C again leaves, and so does Ctrl-D")
                continue
            warned = False
            if text is None or text.strip() == "/exit":
                return 0
            self._said(text)
        return 0

    def _said(self, text: str) -> None:
        """A line from the person: a command, or a turn."""
        command = text.strip()
        if command == "/clear":
            self.messages = list(self.system)
            terminal.say("the conversation is forgotten")
        elif command == "/regen":
            if self.messages and self.messages[-1]["role"] == "assistant":
                self.messages.pop()
                self.attempt += 1
                self._answer()
            else:
                terminal.say("there is no answer to give again")
        elif re.fullmatch(r"/[a-z]+", command):
            terminal.say(f"no command '{command}'; {INTRODUCTION}")
        elif command:
            self._turn(text)

    def _turn(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})
        self.attempt = 0
        try:
            self._answer()
        except LlamaspecError as error:
            if self.groups.chat.single_turn:
                raise
            self.messages.pop()
            terminal.problem(error.message, error.hint)

    def _answer(self) -> None:
        """Streams an answer; Ctrl-C keeps the part that is there."""
        pieces: list[str] = []
        stop = Stop("interrupt")
        events = closable(self.llm.chat(self.messages, **self._again()))
        try:
            with closing(events):
                for event in events:
                    if isinstance(event, Text):
                        pieces.append(event.text)
                        self.paint.write(event)
                    elif isinstance(event, Stop):
                        stop = event
        except KeyboardInterrupt:
            runner.INTERRUPTS.settle()
        self.messages.append({"role": "assistant", "content": "".join(pieces)})
        terminal.end_line()
        self.paint.legend()
        if stop.reason != "interrupt":
            tell(stop, self.groups, chat=True)

    def _again(self) -> dict[str, Any]:
        """Another seed for another try, when the seed was chosen."""
        seed = self.groups.sampling.seed
        return {"seed": (seed + self.attempt) % 2**32} if seed >= 0 and self.attempt else {}


def _line_reader() -> Any:
    """A function that returns the next line, None at the end; it edits lines when a person types them."""
    if not terminal.is_terminal(sys.stdin):
        return _piped_line
    from prompt_toolkit import PromptSession
    from prompt_toolkit.output import create_output

    session: PromptSession[str] = PromptSession("> ", output=create_output(sys.stderr))

    def ask() -> str | None:
        try:
            return session.prompt()
        except EOFError:
            return None

    return ask


def _piped_line() -> str | None:
    line = sys.stdin.readline() if sys.stdin is not None else ""
    return line.rstrip("\n") if line else None
