"""<think> in pieces of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.cli.reasoning import Reasoning

CASES = [
    ("<think>a b</think>\n\nc", False, "a b", "c"),
    ("\n<think>\na\n</think>c", False, "a", "c"),
    ("a</think>c", True, "a", "c"),
    ("plain <think>x</think>", False, "", "plain <think>x</think>"),
    ("a < b <thin", False, "", "a < b <thin"),
    ("<think>never closed", False, "never closed", ""),
    ("<think>a</think>b<think>c</think>", False, "a", "b<think>c</think>"),
]


@pytest.mark.parametrize(("text", "inside", "thought", "said"), CASES)
@given(cuts=st.lists(st.integers(1, 5), max_size=60))
def test_pieces_of_any_size(text, inside, thought, said, cuts):
    found = Reasoning(inside)
    shown, at = [], 0
    for size in [*cuts, len(text)]:
        shown += found.feed(text[at : at + size])
        at += size
    shown += found.finish()
    assert (found.reasoning, found.answer) == (thought, said)
    assert "".join(piece for piece, hidden in shown if hidden).strip("\n") == thought
    assert "".join(piece for piece, hidden in shown if not hidden).lstrip("\n") == said


def test_without_colours_reasoning_stands_between_marks():
    reasoning = Reasoning()
    seen = [
        reasoning.marked(reasoning.feed(piece)) for piece in ("<think>", "\nhm", " so</think>", "\n", "\nyes", "!\n")
    ]
    text = "".join(text for pieces in seen for text, _ in pieces)
    assert text == "[Start thinking]\nhm so\n[End thinking]\n\nyes!\n"
    plain = Reasoning(plain=True)
    assert plain.marked(plain.feed("\nyes")) == [("\nyes", False)]


def test_a_script_hears_the_answer_without_the_blank_lines_before_it():
    reasoning = Reasoning()
    heard = [reasoning.spoken(reasoning.feed(piece)) for piece in ("<think>hm", "</think>", "\n", "\nso\n", "\nit is")]
    assert heard == [[], [], [], [("so\n", False)], [("\nit is", False)]]
    plain = Reasoning()
    assert plain.spoken(plain.feed("\nso")) == [("\nso", False)]
