import re

from llamaspec import shelf
from llamaspec.options import COMMANDS
from llamaspec.options.render.guide import GUIDE
from llamaspec.options.render.man import man_text


def test_every_drafter_is_explained():
    named = {name for name, _ in dict(GUIDE)["DRAFTERS"]}
    assert {name.replace("_", "-") for name in shelf.names("drafting.types")} <= named


def test_every_drafter_that_has_a_mode_of_its_own_is_compared():
    told = " ".join(name for name, _ in dict(GUIDE)["DIFFERENCES FROM LLAMA.CPP"])
    for name in shelf.names("drafting.types"):
        if "unless `compat`" in (shelf.take("drafting.types", name).Drafter.__doc__ or ""):
            assert name.replace("_", "-") in told


def test_only_flags_that_exist_are_named():
    known = {name for command in COMMANDS for flag in command.flags for name in flag.names}
    for _, passages in GUIDE:
        for _, text in passages:
            assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", text)) <= known


def test_it_is_in_the_manual():
    text = man_text("1")
    assert [title for title, _ in GUIDE if f".SH {title}\n" not in text] == []
