"""The order of the chain, as names and as letters."""

import pytest

from llamaspec.errors import UsageError
from llamaspec.options.sampling import LETTERS
from llamaspec.sampling import sequence
from llamaspec.sampling.params import DEFAULT_ORDER


def test_the_default_in_letters_and_names():
    assert sequence.from_letters("edskypmxt") == DEFAULT_ORDER
    assert sequence.from_names(";".join(DEFAULT_ORDER)) == DEFAULT_ORDER


def test_the_option_table_knows_the_same_samplers():
    assert sequence.letters() == LETTERS


def test_letters_are_unique():
    known = sequence.letters()
    assert len(known) == len(sequence.names())
    assert all(len(letter) == 1 for letter in known)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("top-k;topp;MIN_P", ("top_k", "top_p", "min_p")),
        ("nucleus;temp;typ", ("top_p", "temperature", "typ_p")),
        ("top-n-sigma; topnsigma", ("top_n_sigma", "top_n_sigma")),
        ("adaptive-p", ("adaptive_p",)),
        ("", ()),
    ],
)
def test_spellings(text, order):
    assert sequence.from_names(text) == order


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("temprature", "temperature"), ("top_k;drry", "dry"), ("zzzzz", "known: "), ("top_k;", "known: ")],
)
def test_unknown_names_suggest(text, suggestion):
    with pytest.raises(UsageError) as error:
        sequence.from_names(text)
    assert suggestion in error.value.hint


@pytest.mark.parametrize("word", ["logit_bias", "mirostat", "__init__", "../top_k"])
def test_what_is_no_name(word):
    with pytest.raises(UsageError):
        sequence.canonical(word)


def test_unknown_letters():
    with pytest.raises(UsageError, match="'z'") as error:
        sequence.from_letters("kzt")
    assert "k top_k" in error.value.hint
