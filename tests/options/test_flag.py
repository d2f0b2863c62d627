"""The table as a whole: what must hold for every row."""

from collections import Counter

import pytest

from llamaspec.options import COMMANDS, RUN, Status
from llamaspec.options.flag import collect, row, spelled
from llamaspec.options.speculation import Speculation

ROWS = RUN.flags
ids = [flag.long for flag in ROWS]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_no_spelling_twice(command):
    counts = Counter(name for flag in command.flags for name in flag.names)
    assert [name for name, count in counts.items() if count > 1] == []


def test_no_key_twice():
    assert [key for key, count in Counter(flag.key for flag in ROWS).items() if count > 1] == []


def test_every_environment_variable_has_one_owner():
    counts = Counter(name for flag in ROWS for name in (*flag.env, *flag.env_off))
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("flag", ROWS, ids=ids)
def test_a_row_is_whole(flag):
    assert all(name.startswith("-") and " " not in name and "_" not in name for name in flag.names)
    assert not (flag.is_switch and (flag.choices or flag.many or flag.bare))
    assert not flag.off or flag.is_switch
    assert not flag.help.endswith(".")
    if flag.status is Status.LIVE:
        assert flag.help
    if flag.status is Status.REFUSED:
        assert flag.reason
    assert "--" + flag.key.replace("_", "-") in flag.names or flag.key == "spec_type"
    for key, text in flag.gives:
        target = RUN.keys[key]
        assert target.field
        if text is not None:
            target.read(text)


@pytest.mark.parametrize("flag", [flag for flag in ROWS if flag.choices], ids=lambda flag: flag.long)
def test_every_choice_is_understood(flag):
    from llamaspec import shelf

    built = {name.replace("_", "-") for name in shelf.names("drafting.types")} | {"none", "auto"}
    for choice in flag.choices:
        if flag.key != "spec_type" or choice in built:
            flag.read(choice)
    assert flag.bare is None or flag.read(flag.bare) is not None


def test_a_spelling_has_names_metavars_and_negatives():
    assert spelled("-ngl, --gpu-layers N") == (("-ngl", "--gpu-layers"), (), ("N",))
    assert spelled("--spec-replace TARGET DRAFT") == (("--spec-replace",), (), ("TARGET", "DRAFT"))
    assert spelled("-kvo, --kv-offload / -nkvo, --no-kv-offload") == (
        ("-kvo", "--kv-offload"),
        ("-nkvo", "--no-kv-offload"),
        (),
    )
    assert spelled("-fit, --fit on|off") == (("-fit", "--fit"), (), ("on|off",))


def test_collect_keeps_order_and_adds_the_rows_of_the_group():
    found = collect([Speculation])
    assert found[0].key == "spec_type"
    assert found[0].field == "types"
    assert found[-1].key == "spec_default"
    assert {flag.group for flag in found} == {"speculation"}


def test_variables_of_paired_flags_have_a_negative():
    made = row("--jinja / --no-jinja", "x", env="LLAMA_ARG_JINJA")
    assert made.env_off == ("LLAMA_ARG_NO_JINJA",)
    assert row("--swa-full", "x", env="LLAMA_ARG_SWA_FULL").env_off == ()
