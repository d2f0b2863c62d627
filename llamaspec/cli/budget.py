"""--reasoning-budget: reasoning that is cut off after some tokens, and the answer that follows it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..engine.events import Event, Stop, Text
from ..options.groups import Groups
from .reasoning import CLOSE, OPEN, Reasoning

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..engine.llm import LLM


def opened(prompt: str) -> bool:
    """Whether a rendered prompt has begun the reasoning already."""
    return prompt.rstrip().endswith(OPEN)


def answered(
    llm: "LLM", groups: Groups, messages: Sequence[Mapping[str, Any]], words: Mapping[str, Any]
) -> "Generator[Event, None, None]":
    """The events of llm.chat; reasoning that spends the budget is closed, and the model goes on with its answer.

    words: flags for this answer. Noise depends on positions, so both parts have the seed of one.
    """
    limit = groups.chat.reasoning_budget
    if limit < 0:
        yield from llm.chat(messages, **words)
        return
    words = {**words, "seed": _seed(groups, words)}
    prompt = llm.render(messages)
    reasoning = Reasoning(opened(prompt))
    spent, start = 0, perf_counter()
    if reasoning.inside and not limit:
        llm.transcript.encode(prompt)
        yield from _closed(llm, groups, words, [], 0.0)
        return
    with closing(_own(llm.chat(messages, **words))) as events:
        for event in events:
            yield event
            if isinstance(event, Text):
                reasoning.feed(event.text)
                start = start if spent else perf_counter()
                spent += len(event.tokens)
                if reasoning.inside and not reasoning.held and spent >= limit:
                    break
        else:
            return
    yield from _closed(llm, groups, words, llm.session.generated, perf_counter() - start)


def _closed(
    llm: "LLM", groups: Groups, words: Mapping[str, Any], generated: Sequence[int], seconds: float
) -> Iterator[Event]:
    """The message and the end of the reasoning, then what the model says after them."""
    text = f"{groups.chat.reasoning_budget_message}{CLOSE}\n\n"
    before = [*generated, *llm.tokenizer.encode(text, add_special=False, continues=True)]
    yield Text(text, tuple(before[len(generated) :]))
    prompt = list(llm.transcript.ids)
    most = words.get("n_predict", groups.context.n_predict)
    left = max(int(most) - len(before), 0) if int(most) >= 0 else -1
    try:
        for event in llm.stream([*prompt, *before], **{**words, "n_predict": left}):
            yield _whole(event, before, len(prompt), len(generated), seconds) if isinstance(event, Stop) else event
    finally:
        llm.transcript.answered([*before, *llm.session.generated])


def _whole(stop: Stop, before: Sequence[int], prompt: int, generated: int, seconds: float) -> Stop:
    """The end of both parts together; how fast the prompt was read is known to the first part only."""
    times = stop.timings
    timings = replace(
        times, prompt_n=0, prompt_s=0.0, cache_n=prompt,
        predicted_n=times.predicted_n + generated, predicted_s=times.predicted_s + seconds,
    )  # fmt: skip
    return replace(stop, tokens=(*before, *stop.tokens), timings=timings)


def _seed(groups: Groups, words: Mapping[str, Any]) -> int:
    """The seed of the flags, or one that is drawn here."""
    seed = int(words.get("seed", groups.sampling.seed))
    if seed >= 0:
        return seed
    import secrets

    return secrets.randbelow(2**32)


def _own(events: Iterator[Event]) -> "Generator[Event, None, None]":
    """A generator over the events, which can be closed."""
    yield from events
