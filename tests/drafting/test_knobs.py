"""Knobs: their ranges, the flags that set them, and what an error says."""

from dataclasses import dataclass, field

import pytest

from llamaspec.drafting.knobs import Knobs, knob
from llamaspec.errors import UsageError


@dataclass(frozen=True)
class Params(Knobs):
    """Of a drafter that does not exist."""

    flags = "--spec-toy"
    n_min: int = knob(1, 0, 9)
    p_min: float = knob(0.5, 0.0, 1.0, flag="--spec-draft-p-min")
    file: str = knob("", flag="--file", show=False)
    inner: int = field(default=0, repr=False)


def test_flags_are_the_drafters_own_unless_another_is_named():
    assert Params.names() == ("n_min", "p_min", "file")
    assert [Params.flag(name) for name in Params.names()] == ["--spec-toy-n-min", "--spec-draft-p-min", "--file"]
    assert Params().shown() == {"n_min": 1, "p_min": 0.5}


@pytest.mark.parametrize(
    ("wrong", "words", "flag"),
    [
        ({"n_min": 10}, "toy: n-min is 10, but must be a whole number from 0 to 9", "--spec-toy-n-min"),
        ({"n_min": 2.0}, "whole number", "--spec-toy-n-min"),
        ({"n_min": True}, "whole number", "--spec-toy-n-min"),
        ({"n_min": "3"}, "whole number", "--spec-toy-n-min"),
        ({"p_min": 1.1}, "must be a number from 0.0 to 1.0", "--spec-draft-p-min"),
        ({"p_min": float("nan")}, "must be a number", "--spec-draft-p-min"),
    ],
)
def test_values_out_of_range_are_refused_with_the_flag(wrong, words, flag):
    with pytest.raises(UsageError) as refused:
        Params(**wrong)
    assert words in refused.value.message
    assert flag in refused.value.hint


def test_whole_numbers_are_numbers():
    assert Params(p_min=1).p_min == 1
