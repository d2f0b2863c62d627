import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.options import sampling, values
from llamaspec.options.values import (
    boolean,
    integer,
    json_object,
    kv_override,
    layers,
    listed,
    number,
    on_off_auto,
    pair,
    path,
    token_bias,
    unescape,
)  # fmt: skip


@pytest.mark.parametrize("module", [values, sampling], ids=["values", "sampling"])
def test_examples(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0


BAD = [
    (integer(0, 9), ["", " 1", "1 ", "3abc", "2.9", "1e1", "-1", "10", "0x1", "１", "1_0", "9" * 30, "+"]),
    (number(0, 1), ["", "0.5x", "nan", "inf", "-inf", "1,5", "0x1", "1.01", "-0.1", ".", "e1", "1e999", "0_1", "٣"]),
    (number(0, above=True), ["0", "0.0", "-1"]),
    (layers, ["", "some", "-2", "1.5", "ALL"]),
    (boolean, ["", "yes", "On", "2"]),
    (on_off_auto, ["maybe", "", "2"]),
    (listed, ["", "a,", ",a", "a,,b"]),
    (path, ["", "a\0b"]),
    (kv_override, ["", "a", "a=int", "a=int:x", "a=int:3x", "a=float:nan", "a=bool:1", "=int:1", "a=u8:1", '"a=str:x']),
    (kv_override, ["a=", "a=5", "a=INT:5", "a=int:", "a=int:5.5", "a=int:1_0", "a=float:inf", "a=float:1,5"]),
    (kv_override, ["a=bool:yes", "a=bool:True", "a=bool:"]),
    (kv_override, ["a=str:" + "x" * 128, "a=int:" + "9" * 19, "a=int:1,", "k" * 128 + "=int:1"]),
    (token_bias, ["", "1", "+1", "1+", "1+x", "1+inf", "1-nan", "-1+1", "a+1", "1+1e999"]),
    (json_object, ["{", "[]", "1", "nul", "[" * 100_000]),
    (sampling.sampler_names, ["bogus", "top_k;", ";", "top_k,top_p"]),
    (sampling.sampler_letters, ["zz", "k t"]),
]


@pytest.mark.parametrize(("parser", "text"), [(parser, text) for parser, texts in BAD for text in texts])
def test_rubbish_is_refused_with_what_was_expected(parser, text):
    with pytest.raises(ValueError, match=r"expected|available: "):
        parser(text)


def test_ranges_are_named():
    for parser, words in [
        (integer(1, 1024), "a whole number from 1 to 1024"),
        (integer(0), "a whole number of at least 0"),
        (number(0, 1), "a number from 0 to 1"),
        (number(0, above=True), "a number above 0"),
        (number(), "expected a number"),
    ]:
        with pytest.raises(ValueError, match=words):
            parser("rubbish")


@given(st.integers(-(2**31), 2**31 - 1))
def test_whole_numbers_come_back(value):
    assert integer()(str(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_come_back(value):
    assert number()(repr(value)) == value


@given(st.integers(0, 2**31 - 1), st.floats(0, 1e9))
def test_biases_come_back(token, bias):
    assert token_bias(f"{token}-{bias!r}") == ((token, -bias),)
    assert token_bias(f"{token}+{bias!r}") == ((token, bias),)


def test_a_forbidden_token():
    assert token_bias("5-inf") == ((5, -math.inf),)


def test_overrides_are_typed_and_may_be_quoted():
    text = 'a=int:-3,b=float:0.5,c=bool:false,"d=str:x, ""y"""'
    assert kv_override(text) == (("a", -3), ("b", 0.5), ("c", False), ("d", 'x, "y"'))
    assert kv_override("d=str:")[0] == ("d", "")


@given(st.text(st.characters(blacklist_characters="\\", blacklist_categories=("Cs",))))
def test_text_without_backslashes_stays(text):
    assert unescape(text) == text


def test_escapes():
    assert unescape(r"\n\r\t\'\"\\n") == "\n\r\t'\"\\n"
    assert unescape(r"\xc3\xa9 \x4 \xzz \q \\") == "é \\x4 \\xzz \\q \\"


def test_a_pair_needs_something_to_look_for():
    assert pair("a", "") == (("a", ""),)
    with pytest.raises(ValueError, match="expected a text to look for"):
        pair("", "b")
