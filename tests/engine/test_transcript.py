"""A chat keeps the ids of what was generated, and with them the cache, however a tokenizer would cut the text."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import llamaspec
from llamaspec.engine.events import Stop, Text
from llamaspec.engine.transcript import Transcript
from llamaspec.text.template import ChatTemplate
from llamaspec.text.tokenizer import Tokenizer
from tests.engine.conftest import tokenizer, usable

PATHS = {tokenizer(path).kind: path for path in usable().values()}
KINDS = {kind: tokenizer(path) for kind, path in PATHS.items()}
BEGIN, END = "[user] Hi. [assistant]\n", "\n[user] And? [assistant]\n"
each_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def test_both_kinds_of_tokenizer_are_tried():
    assert {"gpt2", "llama"} <= KINDS.keys()


def odd(made: Tokenizer, n: int = 6) -> list[int]:
    """n times a token of one sign that the tokenizer would join with its neighbours."""
    for token in range(made.n_vocab):
        text = made.piece(token).decode("ascii", "replace")
        if len(text) == 1 and text.isprintable() and text != " " and made.encode(text * n, False)[-n:] != [token] * n:
            return [token] * n
    raise AssertionError("the tokenizer joins nothing")


def spelled(made: Tokenizer, ids: list[int]) -> bytes:
    return b"".join(made.piece(token, special=True) for token in ids)


def transcript(made: Tokenizer) -> Transcript:
    return Transcript(ChatTemplate.chatml(made), made)


@each_kind
@pytest.mark.parametrize("behind", [END, "</s>\nAnd?\n", "", " more words", "more"])
def test_an_answer_keeps_its_ids(kind, behind):
    made = KINDS[kind]
    talk, answer = transcript(made), odd(made)
    before = talk.encode(BEGIN)
    assert before == made.encode(BEGIN)
    talk.answered(answer)
    text = BEGIN + spelled(made, answer).decode() + behind
    ids = talk.encode(text)
    assert ids[: len(before) + len(answer)] == before + answer
    assert ids != made.encode(text)
    assert ids[len(before) + len(answer) :] == made.encode(behind, False, continues=True)
    if "</s>" not in behind:  # SPM puts a blank behind it
        assert spelled(made, ids[len(before) :]) == spelled(made, answer) + behind.encode()


@each_kind
def test_the_end_of_the_answer_is_the_templates_to_write(kind):
    made = KINDS[kind]
    end = next(token for token in sorted(made.eog) if made.piece(token, special=True))
    talk, answer = transcript(made), odd(made)
    before = talk.encode(BEGIN)
    talk.answered([*answer, end])
    said = spelled(made, answer).decode()
    assert talk.encode(f"{BEGIN}{said}{made.token_text(end)}")[len(before) :] == [*answer, end]
    assert end not in talk.encode(f"{BEGIN}{said} so")[len(before) :]


@each_kind
def test_of_an_answer_without_its_reasoning_the_rest_is_kept(kind):
    made = KINDS[kind]
    thought, answer = made.encode("<think>why?</think>\n\n", False), odd(made)
    talk = transcript(made)
    before = talk.encode(BEGIN)
    talk.answered(thought + answer)
    ids = talk.encode(BEGIN + spelled(made, answer).decode() + END)
    assert ids[len(before) : len(before) + len(answer)] == answer


@each_kind
def test_an_answer_that_was_cut_keeps_the_ids_in_front_of_the_cut(kind):
    """A stop string may end in the middle of a token, and Ctrl-C anywhere."""
    made = KINDS[kind]
    answer = [*odd(made), *made.encode("the end", False)]
    talk = transcript(made)
    before = talk.encode(BEGIN)
    talk.answered(answer)
    text = spelled(made, answer)[:-1].decode()
    ids = talk.encode(BEGIN + text + END)
    assert ids[len(before) : len(before) + 6] == answer[:6]
    assert spelled(made, ids[len(before) :]) == (text + END).encode()


@each_kind
def test_characters_are_never_divided(kind):
    made = KINDS[kind]
    answer = odd(made, 2) + made.encode("漢", False, continues=True)[:-1]
    talk = transcript(made)
    before = talk.encode(BEGIN)
    talk.answered(answer)
    text = spelled(made, answer[:2]).decode() + "漢字"
    ids = talk.encode(BEGIN + text)
    assert ids[len(before) :][:2] == answer[:2]
    assert spelled(made, ids[len(before) :]).endswith("漢字".encode())


@each_kind
def test_histories_that_change_are_read_anew_from_where_they_do(kind):
    made = KINDS[kind]
    talk, answer = transcript(made), odd(made)
    first = talk.encode(BEGIN)
    talk.answered(answer)
    second = BEGIN + spelled(made, answer).decode() + END
    ids = talk.encode(second)
    talk.answered(made.encode("No.", False))
    assert talk.encode(second) == ids  # the last answer is wanted again
    talk.answered(made.encode("Yes.", False))
    assert talk.encode(BEGIN) == first  # and the first one
    other = made.encode("Never", False, continues=True)
    talk.answered(other)
    assert talk.encode(BEGIN + "Never" + END)[len(first) :][: len(other)] == other
    ids = talk.encode(second)  # nobody answered like that in this conversation
    assert spelled(made, ids[len(first) :]) == second[len(BEGIN) :].encode()
    assert talk.encode("Bye") == made.encode("Bye")


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_answer_of_a_conversation_keeps_its_ids(data):
    made = KINDS[data.draw(st.sampled_from(sorted(KINDS)))]
    signs = [token for token in range(made.n_vocab) if (piece := made.piece(token)) and piece.isascii()]
    talk, prompt, expected = transcript(made), BEGIN, []
    for _ in range(data.draw(st.integers(1, 5))):
        ids = talk.encode(prompt)
        assert ids[: len(expected)] == expected
        answer = data.draw(st.lists(st.sampled_from(signs), max_size=12))
        talk.answered(answer)
        expected = ids + answer
        prompt += spelled(made, answer).decode() + END


def turn(llm: Any, messages: list[dict[str, str]], **keywords: Any) -> tuple[str, Stop]:
    """A chat's answer."""
    events = list(llm.chat(messages, temp=0, stop_at_eog=False, **keywords))
    return "".join(event.text for event in events if isinstance(event, Text)), events[-1]


@each_kind
def test_a_chat_goes_on_from_its_cache(kind):
    llm = llamaspec.load(PATHS[kind], device="cpu", ctx_size=512)
    sign = odd(llm.tokenizer)[0]
    messages = [{"role": "user", "content": "one two three"}]
    held = 0
    for _ in range(3):
        text, stop = turn(llm, messages, n_predict=6, logit_bias=f"{sign}+1000")
        assert stop.tokens == (sign,) * 6
        assert stop.timings.cache_n >= held, "the answer before was evaluated again"
        held = len(llm.session.slot.tokens) - 1
        messages += [{"role": "assistant", "content": text}, {"role": "user", "content": "four"}]
    _, stop = turn(llm, messages, n_predict=8)
    prompt = llm.session.slot.tokens[: -len(stop.tokens)]
    assert prompt != llm.template.encode(llm.render(messages), llm.tokenizer)
    fresh = llamaspec.load(PATHS[kind], device="cpu", ctx_size=512)
    assert tuple(fresh.complete(prompt, n_predict=8, temp=0, stop_at_eog=False).tokens) == stop.tokens


def test_an_answer_that_nobody_heard_to_its_end_keeps_its_ids():
    llm = llamaspec.load(PATHS["gpt2"], device="cpu", ctx_size=512)
    sign = odd(llm.tokenizer)[0]
    messages = [{"role": "user", "content": "one two three"}]
    events = llm.chat(messages, n_predict=50, temp=0, logit_bias=f"{sign}+1000", stop_at_eog=False)
    pieces = [event.text for event in [next(events) for _ in range(9)] if isinstance(event, Text)]
    events.close()
    before = llm.session.slot.n_prompt
    messages += [{"role": "assistant", "content": "".join(pieces)}, {"role": "user", "content": "four"}]
    _, stop = turn(llm, messages, n_predict=1)
    assert stop.timings.cache_n >= before + len(pieces) - 1


def test_other_requests_do_not_make_a_chat_forget_its_ids():
    llm = llamaspec.load(PATHS["gpt2"], device="cpu", ctx_size=512)
    sign = odd(llm.tokenizer)[0]
    messages = [{"role": "user", "content": "one two three"}]
    text, stop = turn(llm, messages, n_predict=6, logit_bias=f"{sign}+1000")
    ids = llm.session.slot.tokens
    llm.complete([5, 6, 7], n_predict=3)
    with pytest.raises(llamaspec.LlamaspecError, match="context"):
        list(llm.stream([5] * 600))
    turn(llm, [*messages, {"role": "assistant", "content": text}, {"role": "user", "content": "four"}], n_predict=1)
    assert llm.session.slot.tokens[: len(ids)] == ids
    assert ids[-6:] == list(stop.tokens)
