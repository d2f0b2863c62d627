"""An answer as steps give it: text, end and numbers, without a model."""

from dataclasses import dataclass
from itertools import count

import pytest

from llamaspec.engine.answer import Answer, AnswerOptions
from llamaspec.engine.events import Stop, Text, Timings
from llamaspec.engine.step import StepResult
from llamaspec.sampling.chain import Chain

END = 99


@dataclass
class Letters:
    """A tokenizer with a token per letter of the alphabet."""

    def piece(self, token: int, special: bool = False) -> bytes:
        return bytes((97 + token,))


def answer(room: int = 100, **options) -> Answer:
    options = {"chain": Chain([]), "seed": 1, "ends": frozenset({END}), **options}
    ticks = count()
    return Answer(Letters(), AnswerOptions(**options), room, Timings(prompt_n=7, cache_n=3), lambda: float(next(ticks)))


def step(*tokens: int, kept: int = 0, drafted: int = 0) -> StepResult:
    return StepResult(tokens, drafted, kept, "toy" if drafted else "")


def test_text_says_who_wrote_it():
    made = answer()
    assert made.take(step(0, 1, 2, kept=2, drafted=4)) == [
        Text("a", (0,), "toy", 1), Text("b", (1,), "toy", 2), Text("c", (2,)),
    ]  # fmt: skip
    assert made.take(step(3)) == [Text("d", (3,))]
    assert (made.tokens, made.reason) == ([0, 1, 2, 3], "")


@pytest.mark.parametrize(
    ("options", "steps", "reason", "tokens", "text"),
    [
        ({}, [step(0, END, 5, 6)], "eos", (0, END), "a"),
        ({}, [step(END)], "eos", (END,), ""),
        ({"stop": ("cd",)}, [step(0, 2), step(3, 4, 5)], "word", (0, 2, 3), "a"),
        ({"stop": ("cd",)}, [step(0, 2), step(END)], "eos", (0, 2, END), "ac"),
        ({"n_predict": 3}, [step(0, 1), step(2)], "limit", (0, 1, 2), "abc"),
        ({"n_predict": 0}, [], "limit", (), ""),
        ({"n_predict": 2, "stop": ("bc",)}, [step(0, 1)], "limit", (0, 1), "ab"),
        ({"room": 2}, [step(0, 1)], "context", (0, 1), "ab"),
        ({"room": 2, "n_predict": 2}, [step(0, 1)], "limit", (0, 1), "ab"),
        ({"room": 2}, [step(0, END)], "eos", (0, END), "a"),
    ],
)
def test_what_ends_an_answer_and_what_is_left_of_it(options, steps, reason, tokens, text):
    made = answer(**options)
    events = []
    for result in steps:
        assert made.reason == ""
        events += made.take(result)
    events += made.finish()
    assert "".join(event.text for event in events[:-1]) == text
    assert isinstance(events[-1], Stop)
    assert (events[-1].reason, events[-1].tokens) == (reason, tokens)
    with pytest.raises(AssertionError):
        made.take(step(0))


def test_the_numbers():
    made = answer(n_predict=5)
    made.take(step(0, 1, 2, kept=2, drafted=3))
    made.take(step(3))
    made.take(step(4, kept=0, drafted=3))
    (stop,) = made.finish(plain_s=0.5)
    assert stop.timings == Timings(
        prompt_n=7, cache_n=3, predicted_n=5, predicted_s=3.0, draft_n=6, draft_n_accepted=2, steps=3, plain_s=0.5
    )
    assert made.request.steps == 2
