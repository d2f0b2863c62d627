"""A walk over every flag of every llama.cpp program: none is unknown, and none is swallowed without a word."""

import json
from pathlib import Path

import pytest

from llamaspec.errors import UsageError
from llamaspec.options import RUN, Status, parse
from llamaspec.options.elsewhere import program
from llamaspec.options.flag import default
from llamaspec.options.idle import DRAFTERS, MODEL

ROWS = json.loads((Path(__file__).parents[1] / "data" / "flags" / "all.json").read_text())
NAMES = sorted({name for row in ROWS for name in row["names"]})
ABOUT = ("short_help", "help", "version", "completion_bash", "cache_list", "list_devices")


def said(name):
    """A value that a flag understands, and the groups that it makes. Raises UsageError for a refusal."""
    flag, _ = RUN.table[name]
    pool = [
        "3",
        "1",
        "0.5",
        "on",
        "none",
        "auto",
        "x",
        "a;b",
        "top_k",
        "7+1",
        "u/m",
        "https://u/m",
        "a=int:1",
        "{}",
        "f32",
    ]
    pool += [*flag.choices[:1], "ngram-mod"]
    for text in pool:
        try:
            flag.read(*(text for _ in flag.metavars)) if flag.metavars else None
        except ValueError:
            continue
        return text, parse(RUN, [name, *(text for _ in flag.metavars)], {}, ())
    raise AssertionError(f"no value for {name}")


def test_the_inventory_is_there():
    assert len(ROWS) == 334


@pytest.mark.parametrize("name", NAMES)
def test_no_flag_is_unknown(name):
    assert name in RUN.table or program(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name in RUN.table])
def test_a_flag_acts_or_says_why_not(name):
    flag, on = RUN.table[name]
    if flag.status is Status.REFUSED:
        with pytest.raises(UsageError) as raised:
            said(name)
        assert flag.reason
        assert flag.reason in raised.value.message
        return
    text, groups = said(name)
    if flag.status is Status.LATER:
        already = text in (default(flag) or "off", str(flag.default)) or (
            flag.is_switch and ("off", "on")[on] == default(flag)
        )
        assert already or any(name in note.text for note in groups.notes)
    elif flag.status is Status.LIVE and flag.key not in ABOUT:
        assert flag.key in groups.said
        needs = flag.key in MODEL or flag.key.startswith(tuple(DRAFTERS))
        assert not needs or any("has no effect without" in note.text for note in groups.notes)


@pytest.mark.parametrize("flag", [flag for flag in RUN.flags if flag.status is Status.LIVE], ids=lambda flag: flag.long)
def test_what_is_listed_as_acting_has_a_field_or_sets_others(flag):
    assert flag.field or flag.gives
    assert flag.help
