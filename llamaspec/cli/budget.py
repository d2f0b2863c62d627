"""--reasoning-budget: reasoning that is cut off after some tokens, and the answer that follows it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..engine.events import Event, Stop, Text, Timings
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
    from ..engine.slots import common_prefix

    words = {**words, "seed": _seed(llm, groups, words)}
    prompt = llm.render(messages)
    reasoning = Reasoning(opened(prompt))
    if reasoning.inside and not limit:
        llm.transcript.encode(prompt)
        yield from _closed(llm, groups, words, [], None)
        return
    known, spent = list(llm.session.slot.tokens), 0
    begun = first = perf_counter()
    with closing(_own(llm.chat(messages, **words))) as events:
        for event in events:
            yield event
            if isinstance(event, Text):
                reasoning.feed(event.text)
                first = first if spent else perf_counter()
                spent += len(event.tokens)
                if reasoning.inside and not reasoning.held and spent >= limit:
                    break
        else:
            return
    generated, ids = list(llm.session.generated), llm.transcript.ids
    cached = min(common_prefix(known, ids), len(ids) - 1)  # the last token of a prompt is always evaluated
    part = Timings(
        prompt_n=len(ids) - cached, prompt_s=first - begun, cache_n=cached,
        predicted_n=len(generated), predicted_s=perf_counter() - first,
    )  # fmt: skip
    yield from _closed(llm, groups, words, generated, part)


def _closed(
    llm: "LLM", groups: Groups, words: Mapping[str, Any], generated: Sequence[int], part: Timings | None
) -> Iterator[Event]:
    """The message and the end of the reasoning, then what the model says after them. part: the time until now."""
    text = f"{groups.chat.reasoning_budget_message}{CLOSE}\n\n"
    before = [*generated, *llm.tokenizer.encode(text, add_special=False, continues=True)]
    yield Text(text, tuple(before[len(generated) :]))
    prompt = list(llm.transcript.ids)
    most = words.get("n_predict", groups.context.n_predict)
    left = max(int(most) - len(before), 0) if int(most) >= 0 else -1
    try:
        for event in llm.stream([*prompt, *before], **{**words, "n_predict": left}):
            yield _whole(event, before, part) if isinstance(event, Stop) else event
    finally:
        llm.transcript.answered([*before, *llm.session.generated])


def _whole(stop: Stop, before: Sequence[int], part: Timings | None) -> Stop:
    """The end of both parts together: the first one has read the prompt."""
    times = stop.timings
    if part is not None:
        times = replace(
            times, prompt_n=part.prompt_n, prompt_s=part.prompt_s, cache_n=part.cache_n,
            predicted_n=times.predicted_n + part.predicted_n, predicted_s=times.predicted_s + part.predicted_s,
        )  # fmt: skip
    return replace(stop, tokens=(*before, *stop.tokens), timings=times)


def _seed(llm: "LLM", groups: Groups, words: Mapping[str, Any]) -> int:
    """The seed of the flags, or one that is drawn here."""
    seed = int(words.get("seed", groups.sampling.seed))
    if seed >= 0:
        return seed
    import secrets

    seed = secrets.randbelow(2**32)
    if groups.sampling.temp > 0:
        llm.report(f"random seed {seed} (repeat with --seed {seed})")
    return seed


def _own(events: Iterator[Event]) -> "Generator[Event, None, None]":
    """A generator over the events, which can be closed."""
    yield from events
