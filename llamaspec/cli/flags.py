"""`llamaspec flags [TEXT]`: the option table."""

import json

from ..options.commands import RUN
from ..options.flag import Flag, default
from ..options.groups import Groups
from ..options.render.help import entry
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
    return 0 if rows else 1


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
