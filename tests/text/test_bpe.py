"""Byte-level BPE on vocabularies small enough to work out by hand."""

import pytest

from llamaspec.text.bpe import BPE, BYTES, LETTERS
from llamaspec.text.pre import PRES, Pre

ONE_WORD = Pre((r"[^\n]+",))


def ids(*texts: str) -> dict[str, int]:
    return {text: token for token, text in enumerate(texts)}


def test_every_byte_has_a_letter() -> None:
    assert len(set(LETTERS)) == 256
    assert LETTERS[ord("!")] == "!"
    assert (LETTERS[0], LETTERS[0x20], LETTERS[0x0A], LETTERS[0xAD]) == ("\u0100", "\u0120", "\u010a", "\u0143")
    assert [BYTES[letter] for letter in LETTERS] == list(range(256))


def test_the_lowest_rank_wins_and_the_first_of_two_equal_pairs() -> None:
    vocabulary = ids("a", "b", "c", "ab", "bc", "abc")
    assert BPE(vocabulary, ["b c", "a b", "a bc"], ONE_WORD).encode("abc") == [5]
    assert BPE(vocabulary, ["a b", "b c"], ONE_WORD).encode("abc") == [3, 2]
    assert BPE(vocabulary, ["b c", "a b", "b c"], ONE_WORD).encode("abc") == [0, 4]


def test_a_merge_that_is_no_token_falls_apart_into_ascii() -> None:
    assert BPE(ids("a", "b", "\u0120"), ["a b"], ONE_WORD).encode("ab ab") == [0, 1, 2, 0, 1]
    assert BPE(ids("a", "\u0120"), ["a \u0120"], ONE_WORD).encode("a a") == [0, 0]


def test_bytes_without_a_token_are_dropped_and_part_their_neighbours() -> None:
    assert BPE(ids("a", "b", "ab"), ["a b"], ONE_WORD).encode("a?b") == [0, 1]


def test_words_that_are_tokens_are_taken_whole_where_merges_are_ignored() -> None:
    vocabulary = ids("a", "b", "ab")
    assert BPE(vocabulary, [], ONE_WORD).encode("ab") == [0, 1]
    assert BPE(vocabulary, [], Pre(ONE_WORD.patterns, ignore_merges=True)).encode("ab") == [2]


def test_raw_vocabularies_write_unknown_characters_as_byte_tokens() -> None:
    bpe = BPE(ids("\u2581", "a", "<0xC3>", "<0xA9>", "\n\n", "\n"), [], PRES["gemma4"])
    assert bpe.encode("a \u00e9") == [1, 0, 2, 3]
    assert bpe.encode("\n\na\n\n\n") == [4, 1, 5, 5, 5]


@pytest.mark.parametrize("name", sorted(name for name, pre in PRES.items() if not pre.raw))
def test_every_pre_tokenizer_keeps_every_byte(name: str) -> None:
    bpe = BPE({letter: byte for byte, letter in enumerate(LETTERS)}, [], PRES[name])
    text = "I'm 12345 \u00e9l\u00e8ve\u3000\u6f22\u5b57\u2028  \t\r\n\nx\U0001f600"
    text += " (a)[b]{c}<sentinel:7>IMGIMGABZ \u0661\u0300 end   "
    assert bytes(bpe.encode(text)).decode() == text
