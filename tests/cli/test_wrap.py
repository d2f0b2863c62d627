"""Word wrap: no line is too wide, and no character but blanks at the edge is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from llamaspec.cli.wrap import Wrap, cells


def pieced(pieces, columns):
    out = []
    wrap = Wrap(lambda text, style: out.append((text, style)), columns)
    for piece in pieces:
        wrap.feed(*piece)
    wrap.flush()
    return out


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one two three", "one two\nthree"),
        ("one two\nthree", "one two\nthree"),
        ("abcdefghij k", "abcdefghij\nk"),
        ("abcdefghijkl", "abcdefghij\nkl"),
        ("abc defghij k", "abc\ndefghij k"),
        ("123456789 \nx", "123456789\nx"),
        ("123456789 x", "123456789\nx"),
        ("日本語日本語", "日本語日本\n語"),
        ("  indented", "  indented"),
        ("", ""),
    ],
)
def test_lines(text, shown):
    lines = "".join(text for text, _ in pieced([(text, "")], 10)).split("\n")
    assert "\n".join(line.rstrip() for line in lines) == shown


@given(st.lists(st.text(alphabet="ab \n日x", max_size=30)), st.integers(4, 30))
def test_width_and_content(pieces, columns):
    text = "".join(pieces)
    shown = "".join(part for part, _ in pieced([(piece, "") for piece in pieces], columns))
    assert all(sum(map(get_cwidth, line)) <= columns for line in shown.split("\n"))
    assert "".join(shown.split()) == "".join(text.split())
    assert shown.count("\n") >= text.count("\n")


@pytest.mark.parametrize("letter", [*"aé~日語ｗ한ｱ…→", "\u0301", "\u200d", "😀", "🦙"])
def test_the_cells_of_a_character_are_those_of_the_line_editor(letter):
    assert cells(letter) == max(get_cwidth(letter), 0)


def test_a_word_keeps_the_styles_of_its_pieces():
    assert pieced([("a", "1"), ("b", "2"), (" ", "3")], 10) == [("a", "1"), ("b", "2"), (" ", "3")]
