"""--reasoning-budget with a real engine: reasoning is closed, and the answer is the one that belongs there."""

import json

import pytest

from llamaspec import demo, load
from llamaspec.cli import run as module
from llamaspec.cli.budget import answered
from llamaspec.cli.reasoning import Reasoning
from llamaspec.engine.events import Stop, Text
from llamaspec.options import RUN, parse

from . import fake
from .test_terminal import Screen

ASK = [{"role": "user", "content": "def f(x):"}]
OPENED = "{{ messages[0].content }}<think>"
ENDED = "enough</think>\n\n"


@pytest.fixture(scope="module")
def llm():
    with load(demo.target(), chat_template=OPENED) as made:
        yield made


def told(*words):
    return parse(RUN, ["-m", "x", "--chat-template", OPENED, *words], {}, ())


def heard(llm, *words, **more):
    """The text, the tokens and the end of an answer."""
    options = {"n_predict": 20, "temp": 0, **more}
    *events, stop = answered(llm, told(*words), ASK, options)
    assert isinstance(stop, Stop)
    texts = [event for event in events if isinstance(event, Text)]
    assert [token for text in texts for token in text.tokens] == list(stop.tokens)
    return "".join(text.text for text in texts), list(stop.tokens), stop


def test_reasoning_ends_at_the_budget_and_the_answer_follows(llm):
    free = heard(llm)
    text, tokens, stop = heard(llm, "--reasoning-budget", "6", "--reasoning-budget-message", "enough")
    assert tokens[:6] == free[1][:6]
    forced = llm.tokenizer.encode(ENDED, add_special=False, continues=True)
    assert tokens[6 : 6 + len(forced)] == forced
    ids = [*llm.tokenize(llm.render(ASK)), *tokens[: 6 + len(forced)]]
    rest = llm.complete(ids, n_predict=20 - 6 - len(forced), temp=0)
    assert tokens[6 + len(forced) :] == rest.tokens
    assert text.endswith(ENDED + rest.text)
    assert stop.timings.predicted_n == 6 + len(rest.tokens)
    assert stop.timings.prompt_n + stop.timings.cache_n == len(llm.transcript.ids)
    assert stop.timings.prompt_n >= 1
    assert Reasoning(True).feed(text)[-1][1] is False


def test_a_budget_of_zero_opens_the_answer_at_once(llm):
    text, tokens, _ = heard(llm, "--reasoning-budget", "0", "--reasoning-budget-message", "enough")
    assert text.startswith(ENDED)
    assert len(tokens) == 20


def test_reasoning_within_the_budget_is_left_alone(llm):
    assert heard(llm, "--reasoning-budget", "20")[1][:20] == heard(llm)[1]
    answer = load(demo.target(), chat_template="{{ messages[0].content }}")
    assert heard(answer, "--reasoning-budget", "2")[:2] == heard(answer)[:2]  # it does not reason


def test_both_parts_have_the_seed_of_one(llm):
    words = ("--reasoning-budget", "4")
    first = heard(llm, *words, temp=1.0, seed=7)
    assert heard(llm, *words, temp=1.0, seed=7)[1] == first[1]
    assert heard(llm, *words, temp=1.0)[2].tokens


def test_a_conversation_goes_on_after_it(llm):
    text, tokens, _ = heard(llm, "--reasoning-budget", "4")
    turn = llm.transcript.turns[-1]
    assert list(turn.answer) == tokens
    assert llm.transcript.encode(llm.render(ASK) + text)[-len(tokens) :] == tokens


EVENTS = [
    Text("<think>", (1,)),
    Text("hm", (2,)),
    Text("</think>\n\nso", (3,)),
    Stop("eos", fake.TIMINGS, None, (1, 2, 3)),
]


def test_reasoning_is_no_part_of_the_answer_of_a_script(capsys):
    reasoning = Reasoning()
    module.one_answer(told(), iter(EVENTS), reasoning)
    assert capsys.readouterr().out == "so\n"
    module.one_answer(told("--json"), iter(EVENTS), Reasoning())
    found = json.loads(capsys.readouterr().out)
    assert (found["text"], found["reasoning_content"], found["tokens"]) == ("so", "hm", [1, 2, 3])
    module.one_answer(told("--json-stream"), iter(EVENTS), Reasoning())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["type"], line["text"]) for line in lines] == [("reasoning", "hm"), ("text", "\n\nso"), ("stop", "so")]
    assert [line["tokens"] for line in lines[:2]] == [[1, 2], [3]]


def test_an_answer_that_is_all_reasoning_is_remarked(capsys):
    module.one_answer(told(), iter([*EVENTS[:2], EVENTS[-1]]), Reasoning())
    assert capsys.readouterr() == (
        "", "warning: the model stopped before it answered; --reasoning-format none prints its reasoning\n",
    )  # fmt: skip


def test_reasoning_is_dim_on_a_terminal_and_text_where_it_is_not_parsed(monkeypatch, capsys):
    module.one_answer(told(), iter(EVENTS), Reasoning(plain=True))
    assert capsys.readouterr().out == "<think>hm</think>\n\nso\n"
    monkeypatch.setattr("sys.stdout", screen := Screen())
    module.one_answer(told("--color", "on"), iter(EVENTS), Reasoning())
    assert screen.getvalue() == "\x1b[2mhm\x1b[0m\n\nso\n"


def test_reasoning_is_marked_on_a_terminal_without_colours(monkeypatch):
    monkeypatch.setattr("sys.stdout", screen := Screen())
    module.one_answer(told("--color", "off"), iter(EVENTS), Reasoning())
    assert screen.getvalue() == "[Start thinking]\nhm\n[End thinking]\n\nso\n"
