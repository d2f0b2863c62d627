"""The table's two dialects say the same."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.errors import UsageError
from llamaspec.options import RUN, Status, from_keywords, keywords, override, parse, words


def test_typed_values_and_texts_are_the_same():
    typed = from_keywords(
        Path("m.gguf"), n_predict=20, temp=0.5, device="cpu", spec_type=["ngram-mod", "ngram-simple"],
        reverse_prompt=("a", "b"), override_kv=["tokenizer.ggml.pre=str:qwen2"], jinja=True, gpu_layers="all",
        spec_replace=[("x", "y")], flash_attn=True, chat_template_kwargs={"a": 1},
    )  # fmt: skip
    texts = parse(
        RUN,
        ["-m", "m.gguf", "-n", "20", "--temp", "0.5", "-dev", "cpu", "--spec-type", "ngram-mod,ngram-simple", "-r", "a",
         "-r", "b", "--override-kv", "tokenizer.ggml.pre=str:qwen2", "--jinja", "-ngl", "all", "--spec-replace", "x",
         "y", "-fa", "--chat-template-kwargs", '{"a": 1}'],
        {}, (),
    )  # fmt: skip
    assert typed == texts


def test_aliases_negatives_and_none():
    assert from_keywords(spec_draft_model="d").model.model_draft == "d"
    assert from_keywords(draft_max=5).draft.n_max == 5
    assert from_keywords(no_jinja=True).chat.jinja is False
    assert from_keywords(no_jinja=False).chat.jinja is True
    assert from_keywords(n_predict=None) == from_keywords()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"n_predcit": 3}, r"unknown keyword n_predcit \(did you mean n_predict\?\)"),
        ({"n_predict": "3abc"}, "n_predict: expected a whole number"),
        ({"n_predict": 2.5}, "n_predict: expected a whole number"),
        ({"n_predict": True}, "n_predict: expected N, not True"),
        ({"n_predict": object()}, "n_predict: expected N"),
        ({"temp": float("nan")}, "temp: expected a number"),
        ({"top_p": 2}, "top_p: expected a number from 0 to 1"),
        ({"jinja": "yes"}, "jinja: expected True or False"),
        ({"hf_repo": "a"}, "hf_repo: expected USER/MODEL"),
        ({"spec_type": "ngram-mode"}, "unknown type"),
        ({"reverse_prompt": [1, object()]}, "reverse_prompt: expected TEXT"),
    ],
)  # fmt: skip
def test_wrong_keywords_are_refused(words, message):
    with pytest.raises(UsageError, match=message):
        from_keywords("m", **words)


def test_an_override_is_said_later():
    first = from_keywords("m", n_predict=5, reverse_prompt=["a"], draft_max=9)
    second = override(first, n_predict=6, reverse_prompt=["b"])
    assert (second.context.n_predict, second.chat.reverse_prompt, second.draft.n_max) == (6, ("b",), 9)
    assert first.context.n_predict == 5
    assert override(override(first, spec_draft_n_max=4), draft_max=2).draft.n_max == 2


def _samples(flag):
    """Words that a flag understands."""
    from llamaspec.options.values import INT_MAX

    pool = [
        *flag.choices, "0", "1", "3", "0.5", "-1", "auto", "x.gguf", "a b", "ngram-mod", "ngram-simple,ngram-cache",
        "kt", "top_k;temperature", "7+1.5", "7-inf", "a.b=int:4", "u/m:Q8_0",
        "https://u/m.gguf", "CUDA0,CUDA1", '{"a": 1}', str(INT_MAX), "-x",
        "ü\n",
    ]  # fmt: skip
    found = []
    for text in pool:
        try:
            flag.read(*(text for _ in flag.metavars))
        except ValueError:
            continue
        found.append(tuple(text for _ in flag.metavars))
    return found


LIVE = [flag for flag in RUN.flags if flag.status is not Status.REFUSED and (flag.field or flag.gives)]
ABOUT = ("help", "version", "completion_bash")
SAYINGS = [
    (flag, sample) for flag in LIVE if flag.key not in ABOUT for sample in ([()] if flag.is_switch else _samples(flag))
]


def test_every_flag_has_something_to_say():
    assert {flag.key for flag, _ in SAYINGS} == {flag.key for flag in LIVE if flag.key not in ABOUT}


@given(st.lists(st.tuples(st.sampled_from(SAYINGS), st.integers(0, 20)), max_size=12))
def test_command_line_and_keywords_are_one_language(picks):
    line: list[str] = []
    for (flag, sample), spelling in picks:
        names = flag.names
        line += [names[spelling % len(names)], *sample]
    try:
        groups = parse(RUN, line, {}, ())
    except UsageError:
        return  # a contradiction
    assert from_keywords(**keywords(groups)) == groups
    assert parse(RUN, words(groups), {}, ()) == groups


@pytest.mark.parametrize("flag", [flag for flag in RUN.flags if flag.field and flag.metavars], ids=lambda f: f.long)
def test_equals_space_and_underscore_are_the_same(flag):
    for sample in _samples(flag):
        if flag.key in ("spec_type", "spec_replace") and sample != ("auto",):
            continue
        apart = parse(RUN, [flag.long, *sample], {}, ())
        assert parse(RUN, [f"{flag.long}={' '.join(sample)}"], {}, ()) == apart
        assert parse(RUN, ["--" + flag.long[2:].replace("-", "_"), *sample], {}, ()) == apart
