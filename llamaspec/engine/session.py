"""One answer at a time on one slot: a prompt in, events out; what the cache knows already is not evaluated again."""

from collections.abc import Iterator, Sequence
from statistics import median
from time import perf_counter

from ..text.stream import Pieces
from .answer import Answer, AnswerOptions
from .events import Event, Progress, Timings
from .slots import Running
from .step import Loop

PLAIN_STEPS = 7
SLOW = 0.2
"""Plain steps that are measured to name a speed-up, and the seconds after which no more are."""


class Session:
    """Drives one Answer at a time. The tokens so far stand in `slot`; `generated` are those of the newest answer."""

    def __init__(self, loop: Loop, tokenizer: Pieces, slot_id: int = 0) -> None:
        self.loop, self.tokenizer = loop, tokenizer
        self.slot = Running(slot_id)
        self.generated: Sequence[int] = ()

    def answer(self, prompt: Sequence[int], options: AnswerOptions) -> Iterator[Event]:
        """Evaluate what is new of the prompt, then generate. The last event is always Stop.

        Closing the iterator early keeps what was generated. Raises LlamaspecError if the prompt does not fit.
        """
        loop, slot, clock = self.loop, self.slot, perf_counter()
        computing = loop.target.model.kernels.computing
        self.generated = ()
        with computing():  # never around a yield: the listener has its own ways
            cached = loop.adopt(slot, prompt)
        reading, done, end = loop.read(slot), cached, len(prompt) - 1
        while done < end:
            with computing():
                done += next(reading)
            yield Progress(done, len(prompt))
        with computing():
            slot.start(options.chain, options.seed, options.n_predict, options.ends)
            loop.begin(slot)
        read = Timings(prompt_n=len(prompt) - cached, prompt_s=perf_counter() - clock, cache_n=cached)
        answer = Answer(self.tokenizer, options, loop.target.cache.context + 1 - len(prompt), read)
        self.generated = answer.tokens
        while not answer.reason:
            with computing():
                events = answer.take(loop.step([slot])[0])
                loop.cut(slot, len(prompt) + len(answer.tokens))
            yield from events
        drafting = loop.drafter.report(answer.request) if loop.drafter is not None else None
        yield from answer.finish(self._plain_seconds() if answer.request.draft_n else 0.0, drafting)

    def _plain_seconds(self) -> float:
        """The median of a few plain steps from where the answer stopped, whose rows nobody keeps; 0 if none can be."""
        taken: list[float] = []
        while self.loop.ready(self.slot) and len(taken) < PLAIN_STEPS and sum(taken) < SLOW:
            start = perf_counter()
            with self.loop.target.model.kernels.computing():
                self.loop.plain(self.slot)
            taken.append(perf_counter() - start)
        return median(taken) if taken else 0.0
