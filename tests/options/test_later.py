"""None of llama-cli's names is unknown here, and each takes as many words as there."""

import pytest

from llamaspec.errors import UsageError
from llamaspec.options import RUN, Status, parse
from llamaspec.options.elsewhere import PROGRAMS, program

from .table import reference

ROWS = reference()
NAMES = [(name, flag) for flag in ROWS for name in flag["names"]]


def test_the_reference_is_there():
    assert len(ROWS) > 200


@pytest.mark.parametrize(("name", "flag"), NAMES, ids=[name for name, _ in NAMES])
def test_llama_clis_names_are_known_with_their_arity(name, flag):
    ours, on = RUN.table[name]
    assert len(ours.metavars) == flag["words"]
    assert on == (name not in flag["off"])


@pytest.mark.parametrize("flag", ROWS, ids=[flag["names"][0] for flag in ROWS])
def test_llama_clis_variables_are_known(flag):
    ours, _ = RUN.table[flag["names"][0]]
    assert set(flag["env"]) <= set(ours.env)


@pytest.mark.parametrize("flag", [f for f in RUN.extra if f.status is Status.REFUSED], ids=lambda flag: flag.long)
def test_a_refusal_gives_its_reason(flag):
    with pytest.raises(UsageError) as raised:
        parse(RUN, [flag.long, *("1" for _ in flag.metavars)], {}, ())
    assert flag.long in raised.value.message
    assert flag.reason in raised.value.message


@pytest.mark.parametrize("flag", [f for f in RUN.extra if f.status is Status.LATER], ids=lambda flag: flag.long)
def test_what_does_not_act_yet_says_so_once_unless_it_is_the_case_anyway(flag):
    groups = parse(RUN, [flag.long, *("17" for _ in flag.metavars)], {}, ())
    told = [note.text for note in groups.notes]
    is_default = flag.is_switch and flag.default == "on"
    assert told == ([] if is_default else [f"{flag.long} is not supported yet and has no effect"])


def test_the_default_said_aloud_is_no_reason_to_warn():
    words = "--fit on -fit 1 --no-context-shift -np 1 --jinja -kvo --prio 0 -sm layer --offline --no-warmup"
    assert parse(RUN, words.split(), {"LLAMA_ARG_FIT": "enabled"}, ()).notes == ()


def test_options_of_other_programs_are_named():
    with pytest.raises(UsageError, match="--port is an option of llama-server"):
        parse(RUN, ["--port", "80"], {}, ())
    assert program("--bogus") == ""
    assert not {name for names in PROGRAMS.values() for name in names.split()} & set(RUN.table)
