"""What ends an answer, what it leaves behind, and what it reports."""

import pytest

import llamaspec
from llamaspec.engine.events import Progress, Stop, Text
from llamaspec.errors import LlamaspecError, UsageError
from tests.engine.conftest import usable

PROMPT = [5, 6, 7, 8, 9, 10]


@pytest.fixture(scope="module")
def target():
    return next(iter(usable().values()))


@pytest.fixture
def llm(target):
    return llamaspec.load(target, device="cpu", ctx_size=128)


@pytest.fixture(scope="module")
def truth(target):
    """Forty greedy tokens that run on through end-of-generation ids."""
    return (
        llamaspec.load(target, device="cpu", ctx_size=128)
        .complete(PROMPT, n_predict=40, temp=0, stop_at_eog=False)
        .tokens
    )


def twin(target, **keywords):
    """A model that drafts for itself: every draft is accepted whole, so ends fall in the middle of steps."""
    return llamaspec.load(target, device="cpu", ctx_size=128, model_draft=str(target), spec_draft_n_max=7, **keywords)


@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 9, 30])
def test_n_predict_is_exact_with_and_without_drafts(target, llm, truth, n):
    for model in (llm, twin(target)):
        done = model.complete(PROMPT, n_predict=n, temp=0, stop_at_eog=False)
        assert (done.tokens, done.stop) == (truth[:n], "limit")
        assert done.timings.predicted_n == n


def test_an_end_token_in_the_middle_of_a_draft(target, truth):
    end = truth[3]
    cut = truth[: truth.index(end) + 1]
    model = twin(target, override_kv=f"tokenizer.ggml.eos_token_id=int:{end}")
    assert end in model.tokenizer.eog
    done = model.complete(PROMPT, n_predict=40, temp=0)
    assert (done.tokens, done.stop) == (cut, "eos")
    assert len(model.session.slot.tokens) == len(PROMPT) + len(cut)
    assert model.target.cache.lengths[0] == len(PROMPT) + len(cut) - 1
    assert model.complete(PROMPT, n_predict=40, temp=0, ignore_eos=True).tokens.count(end) == 0


def test_a_stop_string_drops_what_follows_it(target, llm, truth):
    text = llm.complete(PROMPT, n_predict=12, temp=0, stop_at_eog=False).text
    word = next(text[i : i + 3] for i in range(3, len(text) - 3) if text[i : i + 3].isprintable())
    expected = text[: text.index(word)]
    for model in (llm, twin(target)):
        done = model.complete(PROMPT, n_predict=40, temp=0, stop_at_eog=False, reverse_prompt=[word])
        assert (done.text, done.stop) == (expected, "word")
        assert done.tokens == truth[: len(done.tokens)]
        assert model.target.cache.lengths[0] == len(model.session.slot.tokens) - 1


def test_a_full_context_ends_the_answer(target, llm):
    for model in (llm, twin(target)):
        done = model.complete(PROMPT, temp=0, stop_at_eog=False)
        assert (done.stop, len(PROMPT) + len(done.tokens)) == ("context", 129)


def test_events_in_order(llm):
    events = list(llm.stream(list(range(5, 60)), n_predict=5, temp=0, stop_at_eog=False))
    kinds = [type(event) for event in events]
    assert kinds[0] is Progress
    assert kinds[-1] is Stop
    assert kinds == sorted(kinds, key=[Progress, Text, Stop].index)
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == 54


def test_closing_the_stream_keeps_what_was_generated(llm, truth):
    stream = llm.stream(PROMPT, n_predict=30, temp=0, stop_at_eog=False)
    for event in stream:
        if isinstance(event, Text):
            break
    stream.close()
    slot = llm.session.slot
    assert slot.tokens[: len(PROMPT)] == PROMPT
    assert slot.tokens[len(PROMPT) :] == truth[: slot.n_generated]
    again = llm.complete(PROMPT, n_predict=30, temp=0, stop_at_eog=False)
    assert again.tokens == truth[:30]


def test_drafting_is_reported(target):
    done = twin(target).complete(PROMPT, n_predict=33, temp=0, stop_at_eog=False)
    assert done.timings.draft_n == done.timings.draft_n_accepted > 0
    assert done.timings.steps < 33
    lines = done.drafting.lines("new")
    assert lines[0].startswith(f"draft acceptance = 1.00000 ({done.timings.draft_n:5d} accepted")
    assert "draft-simple" in lines[1]


@pytest.mark.parametrize(
    ("ask", "kind", "words"),
    [
        (lambda llm: llm.complete(list(range(5, 200))), LlamaspecError, "195 tokens but the context is 128"),
        (lambda llm: llm.complete([99999]), UsageError, "token 99999"),
        (lambda llm: llm.complete([5, -1]), UsageError, "token -1"),
        (lambda llm: llm.complete("x", temperatur=1), UsageError, "did you mean temperature"),
        (lambda llm: llm.logits(list(range(5, 200))), LlamaspecError, "do not fit"),
        (lambda llm: llm.complete("x", top_p=2), UsageError, "top"),
    ],
)
def test_bad_requests_are_refused(llm, ask, kind, words):
    with pytest.raises(kind, match=words):
        ask(llm)


def test_vocab_only_needs_no_tensors(target):
    words = llamaspec.load(target, vocab_only=True)
    ids = words.tokenize("hello world")
    assert words.detokenize(ids, remove_special=True).decode() == "hello world"
    with pytest.raises(UsageError, match="vocabulary"):
        words.complete("hello")


def test_unequal_vocabularies_are_refused_in_strict_mode(pair):
    models = usable()
    kinds = {path: llamaspec.load(path, vocab_only=True).tokenizer.kind for path in models.values()}
    assert len(set(kinds.values())) > 1, "goldens of two tokenizer kinds are needed"
    other = next(path for path, kind in kinds.items() if kind != kinds[pair[0]])
    with pytest.raises(LlamaspecError, match="vocabular"):
        llamaspec.load(pair[0], device="cpu", ctx_size=64, model_draft=str(other), spec_strict=True)


def test_the_plain_rate_is_measured_only_where_something_was_drafted(target, llm):
    assert llm.complete(PROMPT, n_predict=20, temp=0).timings.speed_up == 0
    model = twin(target)
    timings = model.complete(PROMPT, n_predict=20, temp=0, stop_at_eog=False).timings
    assert timings.speed_up == pytest.approx(timings.predicted_per_second / timings.plain_per_second)
    assert timings.plain_per_second > 0
    assert model.target.cache.lengths[0] == len(model.session.slot.tokens) - 1
