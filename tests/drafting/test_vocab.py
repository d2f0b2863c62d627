"""When two vocabularies are one, and the first difference in words."""

import pytest

from llamaspec.drafting.vocab import MOST_EXTRA, difference
from llamaspec.text.tokenizer import Tokenizer
from tests.drafting.tokenizers import kinds, tokenizers

TEXTS = [chr(0x100 + i) for i in range(300)]


def tokenizer(texts: list[str], kind: str = "gpt2", **more: object) -> Tokenizer:
    return Tokenizer.from_metadata(
        {
            "tokenizer.ggml.model": kind,
            "tokenizer.ggml.pre": "gpt-2",
            "tokenizer.ggml.tokens": texts,
            "tokenizer.ggml.merges": [],
            "tokenizer.ggml.bos_token_id": 1,
            "tokenizer.ggml.eos_token_id": 2,
            **{f"tokenizer.ggml.{key}": value for key, value in more.items()},
        }
    )


def swapped(a: int, b: int) -> list[str]:
    texts = list(TEXTS)
    texts[a], texts[b] = texts[b], texts[a]
    return texts


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        (tokenizer(TEXTS), ""),
        (tokenizer(swapped(0, 4)), ""),
        (tokenizer(swapped(0, 5)), "token 5 "),
        (tokenizer(swapped(7, 250)), "token 7 "),
        (tokenizer(TEXTS[: 300 - MOST_EXTRA]), ""),
        (tokenizer(TEXTS[: 300 - MOST_EXTRA - 1]), "300 tokens, the draft 171"),
        (tokenizer(TEXTS, kind="llama"), "kind"),
        (tokenizer(TEXTS, add_bos_token=True), "BOS"),
        (tokenizer(TEXTS, add_eos_token=True), "EOS"),
        (tokenizer(TEXTS, bos_token_id=9), ""),
    ],
)
def test_the_first_difference_is_named(draft, words):
    found = difference(tokenizer(TEXTS), draft)
    assert words in found
    assert bool(found) == bool(words)
    assert bool(difference(draft, tokenizer(TEXTS))) == bool(words)


def test_another_bos_matters_only_where_it_is_written():
    ours, theirs = (tokenizer(TEXTS, add_bos_token=True, bos_token_id=token) for token in (1, 9))
    assert "token 1 in the model, 9 in the draft" in difference(ours, theirs)


def test_real_vocabularies():
    assert not any(difference(one, one) for one in tokenizers().values())
    assert all(difference(one, other) for one, other in kinds() if one.kind != other.kind)
