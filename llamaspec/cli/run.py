"""`llamaspec run`: one answer, or a chat."""

import json
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from ..engine.events import Event, Stop, Text
from ..errors import UsageError
from ..options.groups import Groups
from . import report, runner, terminal
from .fetch import fetched
from .loading import load
from .paint import Paint, printable
from .prompt import first_prompt, prepared, system_message

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
    stays = prompt is None or (groups.chat.conversation is True and not groups.chat.single_turn)
    if stays and groups.log.json:
        raise UsageError("--json prints one answer, and this would be a chat", "give a prompt with -p, without -cnv")
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
        events = llm.chat([*messages, {"role": "user", "content": prompt}])
    else:
        if messages and groups.log.verbosity >= 2:
            terminal.say("warning: -sys is ignored with -no-cnv")
        events = llm.stream(prompt)
    one_answer(llm, groups, events)
    return 0


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


def one_answer(llm: "LLM", groups: Groups, events: Iterator[Event]) -> Stop:
    """Writes an answer to stdout as it comes (with --json when it is complete) and its statistics to stderr."""
    pieces: list[str] = []
    paint = Paint(groups)
    stop = Stop("limit")
    with closing(closable(events)) as running:
        for event in running:
            if isinstance(event, Text):
                pieces.append(printable(event))
                if not groups.log.json:
                    paint.write(event)
            elif isinstance(event, Stop):
                stop = event
    if groups.log.json:
        found = report.as_json("".join(pieces), answer_tokens(llm), stop, report.spelling(groups))
        terminal.answer(json.dumps(found, ensure_ascii=False) + "\n")
    terminal.end_line()
    paint.legend()
    tell(stop, groups, chat=False)
    return stop


def closable(events: Iterator[Event]) -> Generator[Event, None, None]:
    """A generator over the events: closing it stops the engine even if the answer is not complete."""
    yield from events


def tell(stop: Stop, groups: Groups, chat: bool) -> None:
    """Statistics, and the reason when an answer ended because the context is full."""
    if stop.reason == "context" and groups.log.verbosity >= 2:
        cure = "/clear starts a new conversation; or start with a larger -c" if chat else "raise -c, --ctx-size"
        terminal.say(f"warning: the context is full, the answer ends here; {cure}")
    colour = terminal.colours(groups.log.color, sys.stderr)
    for line in report.lines(stop, groups, chat):
        terminal.say(line, colour)


def answer_tokens(llm: "LLM") -> list[int]:
    """The ids of the answer just given, the final end token included."""
    slot = llm.session.slot
    return list(slot.tokens[slot.n_prompt :])
