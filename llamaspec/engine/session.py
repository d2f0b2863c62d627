"""One conversation on one slot: a prompt in, events out, with what the cache already knows left alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

from ..drafting.first_of import FirstOf
from ..drafting.stats import Request
from ..errors import LlamaspecError
from ..sampling.chain import Chain
from ..text.stream import TextStream
from ..text.tokenizer import Tokenizer
from .computing import computing
from .events import Event, Progress, Stop, Text, Timings
from .slots import Running, common_prefix
from .step import Loop, StepResult

PLAIN_STEPS = 7
SLOW = 0.2
"""Plain steps that are measured to name a speed-up, and the seconds after which no more are."""


@dataclass(frozen=True)
class AnswerOptions:
    """How an answer is to be made. n_predict: -1 = until it ends. stop: texts that end it. ends: ids that end it."""

    chain: Chain
    seed: int
    n_predict: int = -1
    stop: tuple[str, ...] = ()
    ends: frozenset[int] = frozenset()
    special: bool = False


class Session:
    """Tokens so far stand in `slot`; the cache holds all but the last of them."""

    def __init__(self, loop: Loop, tokenizer: Tokenizer, slot_id: int = 0) -> None:
        self.loop, self.tokenizer = loop, tokenizer
        self.slot = Running(slot_id)

    def answer(self, prompt: Sequence[int], wanted: AnswerOptions) -> Iterator[Event]:
        """Evaluate what is new of the prompt, then generate. The last event is always Stop.

        Closing the iterator early keeps what was generated. Raises LlamaspecError if the prompt does not fit.
        """
        cached = self._adopt(prompt)
        slot, clock = self.slot, perf_counter()
        new, done = slot.tokens[cached:-1], 0
        reading = self.loop.read(slot, new)
        while done < len(new):
            with computing(self.loop.target.model):  # never around a yield: the listener has its own ways
                done += next(reading)
            yield Progress(cached + done, len(slot.tokens))
        slot.start(wanted.chain, wanted.seed, wanted.n_predict, wanted.ends)
        self.loop.begin(slot)
        read = Timings(prompt_n=len(slot.tokens) - cached, prompt_s=perf_counter() - clock, cache_n=cached)
        yield from self._generate(wanted, read)

    def _adopt(self, prompt: Sequence[int]) -> int:
        """Make the prompt the slot's tokens; returns how many leading ones need no evaluation."""
        context = self.loop.target.cache.context
        if not prompt:
            raise LlamaspecError("the prompt is empty", hint="give some text with -p; this model has no BOS token")
        if len(prompt) > context:
            raise LlamaspecError(
                f"the prompt has {len(prompt)} tokens, the context holds {context}",
                hint=f"-c {len(prompt) + 512} or more, or a shorter prompt",
            )
        committed = self.loop.target.cache.lengths[self.slot.id]
        shared = common_prefix(self.slot.tokens[:committed], prompt)
        self.slot.tokens = list(prompt)
        return self.loop.target.cache.truncate(self.slot.id, min(shared, len(prompt) - 1))

    def _generate(self, wanted: AnswerOptions, read: Timings) -> Iterator[Event]:
        """Steps until something ends the answer; tokens behind that are dropped from slot and cache at once."""
        meter = _Meter(read)
        stream = TextStream(self.tokenizer, wanted.stop, wanted.special)
        reason = self._before_a_step(stream)
        while not reason:
            with computing(self.loop.target.model):
                gain = self.loop.step([self.slot])[0]
            meter.count(gain)
            first = len(self.slot.tokens) - len(gain.tokens)
            for place, token in enumerate(gain.tokens):
                text, reason = self._text(stream, token)
                if text:
                    by, depth = (gain.by, place + 1) if place < gain.kept else ("", 0)
                    yield Text(text, (token,), by, depth)
                if reason:
                    self._cut(first + place + 1)
                    break
            reason = reason or self._before_a_step(stream)
        if rest := stream.flush():
            yield Text(rest)
        timings = meter.timings(self.slot.n_generated)
        drafter = self.loop.drafter
        report = drafter.report(meter.request) if isinstance(drafter, FirstOf) else None
        if timings.draft_n:
            timings = replace(timings, plain_s=self._plain_seconds())
        yield Stop(reason, timings, report)

    def _plain_seconds(self) -> float:
        """The median of a few plain steps from where the answer stopped, whose rows nobody keeps; 0 if it is full."""
        slot = self.slot
        if len(slot.tokens) > self.loop.target.cache.context:
            return 0.0
        taken: list[float] = []
        while len(taken) < PLAIN_STEPS and sum(taken) < SLOW:
            start = perf_counter()
            with computing(self.loop.target.model):
                self.loop.plain(slot)
            taken.append(perf_counter() - start)
        return median(taken)

    def _text(self, stream: TextStream, token: int) -> tuple[str, str]:
        """The text a token completes, and why the answer ends with it, if it does."""
        if token in self.slot.ends:
            return "", "eos"
        text = stream.push(token)
        return text, "word" if stream.stopped is not None else ""

    def _before_a_step(self, stream: TextStream) -> str:
        """Why no step may follow; "" = one may."""
        slot = self.slot
        if 0 <= slot.n_predict <= slot.n_generated:
            return "limit"
        return "context" if len(slot.tokens) > self.loop.target.cache.context else ""

    def _cut(self, length: int) -> None:
        """Forget tokens behind the end of the answer."""
        del self.slot.tokens[length:]
        self.loop.target.cache.truncate(self.slot.id, length - 1)


class _Meter:
    """Counts and times of one answer."""

    def __init__(self, read: Timings) -> None:
        self.read = read
        self.request = Request()
        self.started = perf_counter()
        self.steps = 0

    def count(self, gain: StepResult) -> None:
        """One step."""
        self.steps += 1
        self.request.observe_draft(gain.drafted, gain.kept)

    def timings(self, predicted: int) -> Timings:
        """Everything that was counted."""
        return Timings(
            prompt_n=self.read.prompt_n,
            prompt_s=self.read.prompt_s,
            cache_n=self.read.cache_n,
            predicted_n=predicted,
            predicted_s=perf_counter() - self.started,
            draft_n=self.request.draft_n,
            draft_n_accepted=self.request.draft_n_accepted,
            steps=self.steps,
        )
