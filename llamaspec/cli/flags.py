"""`llamaspec flags [TEXT]`: the option table."""

import json

from ..options.commands import RUN
from ..options.elsewhere import PROGRAMS
from ..options.flag import Flag, default
from ..options.groups import Groups
from ..options.render.help import COLUMN, entry
from ..options.render.text import left, remarks
from . import terminal


def flags(groups: Groups) -> int:
    """Prints the rows that contain the text, all without one; 1 when there is none, as grep does."""
    pattern = groups.operands[0].replace("_", "-") if groups.operands else ""
    rows = [flag for flag in RUN.flags if pattern.lower() in _searched(flag)]
    if groups.log.json:
        terminal.answer(json.dumps([_facts(flag) for flag in rows], indent=1, ensure_ascii=False) + "\n")
    else:
        for flag in rows:
            about = f"[{flag.status.value}] {flag.reason}".rstrip() if not flag.field and not flag.gives else flag.help
            terminal.answer("\n".join(entry(left(flag), f"{about} {remarks(flag)}".rstrip())) + "\n")
    others = _others(pattern) if pattern and not groups.log.json else []
    for line in others:
        terminal.answer(f"{line}\n")
    if not rows and not others:
        terminal.say(f"no flag contains '{pattern}'")
    return 0 if rows or others else 1


def _others(pattern: str) -> list[str]:
    """Flags of llama.cpp's other programs that contain the text."""
    return [
        f"{name.ljust(COLUMN)}[an option of {program}, which llamaspec does not have]"
        for program, names in PROGRAMS.items()
        for name in names.split()
        if name.startswith("--") and pattern.lower() in name
    ]


def _searched(flag: Flag) -> str:
    return " ".join((*flag.names, *flag.env, flag.key, flag.help)).lower().replace("_", "-")


def _facts(flag: Flag) -> dict[str, object]:
    return {
        "names": flag.names,
        "keyword": flag.key,
        "value": " ".join(flag.metavars) or None,
        "default": default(flag) or None,
        "env": flag.env,
        "status": flag.status.name.lower(),
        "help": flag.help or flag.reason,
    }
