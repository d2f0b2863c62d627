"""The table of pre-tokenizers: every name compiles, what is not there is refused."""

import pytest
from tokenizers import Regex
from tokenizers.pre_tokenizers import Split

from llamaspec.errors import LlamaspecError
from llamaspec.text import pre


def pieces(name: str, text: str) -> list[str]:
    found = [text]
    for pattern in pre.take(name).patterns:
        split = Split(Regex(pattern), "isolated")
        found = [piece for part in found for piece, _ in split.pre_tokenize_str(part)]
    return found


@pytest.mark.parametrize("name", sorted(pre.PRES))
def test_pieces_join_to_the_text(name: str) -> None:
    text = "Don't  stop 2024\u3000\u0130\u0131 x\n\n"
    found = pieces(name, text)
    assert "".join(found) == text
    assert len(found) > 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-2", ["It", "'s", " 12345", " \u00e9t\u00e9", "!!", " ", " x"]),
        ("llama-bpe", ["It", "'s", " ", "123", "45", " \u00e9t\u00e9", "!!", " ", " x"]),
        ("qwen2", ["It", "'s", " ", "1", "2", "3", "4", "5", " \u00e9t\u00e9", "!!", " ", " x"]),
        ("gpt-4o", ["It's", " ", "123", "45", " \u00e9t\u00e9", "!!", " ", " x"]),
        ("bloom", ["It's", " 12345", " \u00e9t\u00e9", "!! ", " x"]),
    ],
)
def test_words(name: str, expected: list[str]) -> None:
    assert pieces(name, "It's 12345 \u00e9t\u00e9!!  x") == expected


def test_names_that_are_known_but_not_built() -> None:
    for name in pre.LATER:
        assert name not in pre.PRES
        with pytest.raises(LlamaspecError, match="not supported yet"):
            pre.take(name)


def test_unknown_names() -> None:
    with pytest.raises(LlamaspecError, match="unknown pre-tokenizer 'nonsense'") as caught:
        pre.take("nonsense")
    assert "--override-kv" in caught.value.hint
