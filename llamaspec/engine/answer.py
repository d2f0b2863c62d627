"""One answer: what steps gave goes in, events come out. It knows no model, no cache and no slot."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

from ..drafting.stats import Report, Request
from ..sampling.chain import Chain
from ..text.stream import Pieces, TextStream
from .events import Event, Stop, Text, Timings
from .step import StepResult


@dataclass(frozen=True)
class AnswerOptions:
    """How an answer is to be made. n_predict: -1 = until it ends. stop: texts that end it. ends: ids that end it."""

    chain: Chain
    seed: int
    n_predict: int = -1
    stop: tuple[str, ...] = ()
    ends: frozenset[int] = frozenset()
    special: bool = False


class Answer:
    """The ids, the text, the end and the numbers of one answer.

    tokens: the ids so far, the one that ended it included. reason: why it is over, as in Stop; "" = a step may follow.
    room: tokens until the context is full. read: the prompt's part of the timings. clock: gives seconds.
    """

    def __init__(
        self,
        tokenizer: Pieces,
        options: AnswerOptions,
        room: int,
        read: Timings,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.options, self.room, self.read, self.clock = options, room, read, clock
        self.tokens: list[int] = []
        self.request = Request()
        self.steps, self.seconds, self.started = 0, 0.0, clock()
        self._stream = TextStream(tokenizer, options.stop, options.special)
        self.reason = self._full()

    def take(self, result: StepResult) -> list[Event]:
        """One step's tokens -> the text that they complete. What lies behind the end of the answer is not taken."""
        assert not self.reason, "the answer is over"
        self.steps += 1
        self.request.observe_draft(result.drafted, result.kept)
        events: list[Event] = []
        for place, token in enumerate(result.tokens):
            self.tokens.append(token)
            text = "" if token in self.options.ends else self._stream.push(token)
            if text:
                by, depth = (result.by, place + 1) if place < result.kept else ("", 0)
                events.append(Text(text, (token,), by, depth))
            if token in self.options.ends or self._stream.stopped is not None:
                self.reason = "eos" if token in self.options.ends else "word"
                break
        self.reason = self.reason or self._full()
        self.seconds = self.clock() - self.started
        return events

    def finish(self, plain_s: float = 0.0, drafting: Report | None = None) -> list[Event]:
        """The last events: text that was held back, and Stop. plain_s: as in Timings."""
        rest = self._stream.flush()
        timings = replace(
            self.read,
            predicted_n=len(self.tokens),
            predicted_s=self.seconds,
            draft_n=self.request.draft_n,
            draft_n_accepted=self.request.draft_n_accepted,
            steps=self.steps,
            plain_s=plain_s,
        )
        stop = Stop(self.reason, timings, drafting, tuple(self.tokens))
        return [Text(rest), stop] if rest else [stop]

    def _full(self) -> str:
        """Why no step may follow, though nothing ended the answer."""
        if 0 <= self.options.n_predict <= len(self.tokens):
            return "limit"
        return "context" if len(self.tokens) >= self.room else ""
