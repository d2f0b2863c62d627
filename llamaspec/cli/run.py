"""`llamaspec run`: one answer, or a chat."""

import json
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..engine.events import Event, Stop, Text
from ..errors import UsageError
from ..options.groups import Groups
from . import record, report, runner, terminal
from .budget import answered, opened
from .fetch import fetched
from .loading import load
from .paint import Paint, printable
from .prompt import first_prompt, prepared, system_message
from .reasoning import DIM, Reasoning, shown

if TYPE_CHECKING:
    from ..engine.llm import LLM


def run(groups: Groups) -> int:
    """Loads the model and answers -p, -f or piped text; without any of them it chats."""
    if not groups.model.wanted:
        raise UsageError(
            "no model given",
            "give a GGUF file with -m or a model of the hub with -hf USER/MODEL, or try `llamaspec demo`",
        )
    if groups.model.vocab_only:
        raise UsageError("--vocab-only is for the Python API: an answer needs the weights")
    prompt = first_prompt(groups)
    if prompt is None and groups.chat.conversation is False:
        raise UsageError("-no-cnv needs a prompt", "give one with -p or -f, or pipe it in")
    groups = prepared(groups)
    record.check(groups)
    chat = groups.chat
    if chat.interactive_first:
        prompt = None
    stays = prompt is None or ((chat.conversation or chat.interactive) and not chat.single_turn)
    if stays and as_data(groups):
        flag = "--json" if groups.log.json else "--json-stream"
        raise UsageError(f"{flag} prints one answer, and this would be a chat", "give a prompt with -p, without -cnv")
    system = system_message(groups)
    with saving(load(fetched(groups))) as llm:
        return _answered(llm, groups, prompt, stays, system)


def _answered(llm: "LLM", groups: Groups, prompt: str | None, stays: bool, system: str | None) -> int:
    """One answer to the prompt, or a chat."""
    messages = [{"role": "system", "content": system}] if system is not None else []
    if stays:
        from .console import Console

        console = Console(llm, groups, messages, load)
        code = console.talk(prompt)
        if console.llm is not llm:
            console.llm.close()
        return code
    assert prompt is not None
    if groups.chat.conversation is not False and (llm.has_template or groups.chat.conversation):
        messages = [*messages, {"role": "user", "content": around(groups, prompt)}]
        text = llm.render(messages)
        record.prompt(llm, groups, text)
        reasoning = Reasoning(opened(text), plain=not groups.chat.parses_reasoning)
        events = answered(llm, groups, messages, {})
    else:
        if messages and groups.log.verbosity >= 2:
            terminal.say("warning: -sys is ignored with -no-cnv")
        record.prompt(llm, groups, prompt)
        if groups.chat.display_prompt and not as_data(groups):
            terminal.answer(prompt)
        messages = [*messages, {"role": "user", "content": prompt}]
        reasoning = Reasoning(plain=True)
        events = llm.stream(prompt)
    one_answer(groups, events, reasoning)
    thought = {"reasoning_content": reasoning.reasoning} if reasoning.reasoning else {}
    record.keep(groups, [*messages, {"role": "assistant", "content": reasoning.answer, **thought}])
    return 0


def as_data(groups: Groups) -> bool:
    """Whether stdout carries JSON in place of text."""
    return groups.log.json or groups.chat.json_stream


def around(groups: Groups, text: str) -> str:
    """A message of the person between --in-prefix and --in-suffix."""
    return f"{groups.chat.in_prefix}{text}{groups.chat.in_suffix}"


@contextmanager
def saving(llm: "LLM") -> Iterator["LLM"]:
    """Closes the engine at the end, however it comes, so that what drafters learnt is kept."""
    try:
        yield llm
    except KeyboardInterrupt:
        runner.INTERRUPTS.settle()  # it has been obeyed: an error while saving is news, and Ctrl-C may stop that too
        llm.close()
        raise
    except BaseException:
        llm.close()
        raise
    llm.close()


def one_answer(groups: Groups, events: Iterator[Event], reasoning: Reasoning) -> Stop:
    """Writes an answer to stdout as it comes (with --json when complete), statistics to stderr; returns its end.

    With --json-stream every piece is a line {"type": "text", …}; {"type": "stop", …} with the object of --json follows.
    """
    paper, counter = Paper(groups, reasoning), Counter(groups.log.print_token_count)
    stop = Stop("limit")
    with closing(closable(events)) as running:
        for event in running:
            if isinstance(event, Text):
                counter.count(event)
                paper.write(reasoning.feed(printable(event)), event)
            elif isinstance(event, Stop):
                stop = event
    paper.write(reasoning.finish(), Text(""))
    if as_data(groups):
        spelled = report.spelling(groups)
        found = report.as_json(reasoning.answer, list(stop.tokens), stop, spelled, reasoning.reasoning)
        _line({"type": "stop", **found} if groups.chat.json_stream else found)
    terminal.end_line()
    if reasoning.thought and not reasoning.answer and not as_data(groups) and groups.log.verbosity >= 2:
        more = "" if paper.watched else "; --reasoning-format none prints its reasoning"
        terminal.say(f"warning: the model stopped before it answered{more}")
    paper.paint.legend()
    tell(stop, groups, chat=False)
    return stop


class Paper:
    """Where the pieces of one answer go: stdout as text or as JSON lines. Reasoning is only shown to a person."""

    def __init__(self, groups: Groups, reasoning: Reasoning) -> None:
        self.groups, self.reasoning = groups, reasoning
        self.paint = Paint(groups)
        self.watched = terminal.is_terminal(sys.stdout)
        self.tokens: list[int] = []

    def write(self, pieces: list[tuple[str, bool]], event: Text) -> None:
        """Pieces of text that an event has completed, each with a mark whether it is reasoning."""
        if self.groups.chat.json_stream:
            self.tokens += event.tokens
            for text, thought in pieces:
                _line(report.piece(text, self.tokens, event, thought))
                self.tokens = []
        elif not self.groups.log.json:
            for text, thought in shown(self.reasoning, pieces, self.groups):
                if thought:
                    terminal.answer(text, DIM if terminal.colours(self.groups.log.color, sys.stdout) else None)
                else:
                    self.paint.write(replace(event, text=text))


def _line(found: dict[str, Any]) -> None:
    terminal.answer(json.dumps(found, ensure_ascii=False) + "\n")


class Counter:
    """--print-token-count: a line every so many tokens. every: 0 or less = never."""

    def __init__(self, every: int) -> None:
        self.every, self.tokens = every, 0

    def count(self, event: Text) -> None:
        """The tokens of an event."""
        before, self.tokens = self.tokens, self.tokens + len(event.tokens)
        if self.every > 0 and before // self.every < self.tokens // self.every:
            terminal.say(f"tokens generated: {self.tokens}")


def closable(events: Iterator[Event]) -> Generator[Event, None, None]:
    """A generator over the events: closing it stops the engine even if the answer is not complete."""
    yield from events


def tell(stop: Stop, groups: Groups, chat: bool) -> None:
    """Statistics, and the reason when an answer ended because the context is full."""
    if stop.reason == "context" and groups.log.verbosity >= 2:
        cure = "/clear starts a new conversation; or start with a larger -c" if chat else "raise -c, --ctx-size"
        terminal.say(f"warning: the context is full, the answer ends here; {cure}")
    log = groups.log
    colour = terminal.colours(log.log_colors if "log_colors" in groups.said else log.color, sys.stderr)
    for line in report.lines(stop, groups, chat):
        terminal.say(line, colour)
