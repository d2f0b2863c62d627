"""Score-driven merging on vocabularies small enough to work out by hand."""

from llamaspec.text.spm import BLANK, SPM

TOKENS = ("<unk>", "a", "b", "c", "ab", "bc", "abc", BLANK, BLANK + "a", "<0xC3>", "<0xA9>")
IDS = {text: token for token, text in enumerate(TOKENS)}


def spm(**scores: float) -> SPM:
    return SPM(IDS, [scores.get(text, -100.0) for text in TOKENS], 0)


def names(found: list[int]) -> list[str]:
    return [TOKENS[token] for token in found]


def test_the_highest_score_wins_and_the_leftmost_of_equals() -> None:
    assert names(spm(ab=-1, bc=-2).encode("abc")) == ["abc"]
    assert names(spm(ab=-2, bc=-1).encode("abbc")) == ["ab", "bc"]
    assert SPM({"a": 0, "aa": 1}, [0.0, 0.0], None).encode("aaa") == [1, 0]


def test_blanks_are_written_as_the_vocabulary_writes_them() -> None:
    assert names(spm().encode("a a")) == ["a", BLANK + "a"]


def test_a_character_without_a_token_becomes_bytes_and_else_unknown() -> None:
    assert names(spm().encode("\u00e9")) == ["<0xC3>", "<0xA9>"]
    assert names(spm().encode("\u00e8")) == ["<0xC3>", "<unk>"]
    assert SPM({"a": 0}, [0.0], None).encode("a\u00e9") == [0]


def test_the_byte_of_a_newline() -> None:
    assert spm().byte(0xC3) == IDS["<0xC3>"]
    assert SPM({"\n": 0}, [0.0], None).byte(0x0A) == 0
