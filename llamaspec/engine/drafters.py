"""Which drafters the options ask for, and with which knobs."""

from collections.abc import Mapping
from typing import Any

from ..drafting.build import Kind, build, kind_of, kinds
from ..drafting.context import DrafterContext
from ..drafting.extend import extended
from ..drafting.first_of import FirstOf
from ..options.commands import RUN
from ..options.flag import Flag
from ..options.groups import Groups


def types_of(groups: Groups) -> tuple[str, ...]:
    """--spec-type with "auto" decided: a draft model speculates."""
    auto = ("draft-simple",) if groups.model.model_draft else ()
    types = [found for name in groups.speculation.types for found in (auto if name == "auto" else (name,))]
    return tuple(dict.fromkeys(types))


def drafters_of(groups: Groups, context: DrafterContext) -> FirstOf | None:
    """The drafters that the options ask for; None = plain decoding."""
    types = types_of(groups)
    for line in idle(groups, types):
        context.report(line)
    if not types:
        return None
    made = [build(name, context, knobs_of(kind_of(name), groups)) for name in types]
    longest = groups.speculation.extend
    if longest and not any(drafter.needs_model for drafter in made):
        context.report("--spec-extend has no effect without a draft model")
        longest = 0
    return FirstOf(extended(made, longest) if longest else made)


def knobs_of(kind: Kind, groups: Groups) -> Mapping[str, Any]:
    """The values of a drafter's knobs, by name."""
    flags = {name: _flag(kind, name) for name in kind.params.names()}
    return {name: getattr(getattr(groups, flag.group), flag.field) for name, flag in flags.items()}


def idle(groups: Groups, types: tuple[str, ...]) -> list[str]:
    """A line per flag that was given for a drafter that does not run."""
    used = {_flag(kind, name).key for kind in map(kind_of, types) for name in kind.params.names()}
    lines: dict[str, str] = {}
    for kind in kinds():
        for flag in (_flag(kind, name) for name in kind.params.names()):
            if flag.key in groups.said and flag.key not in used:
                lines.setdefault(flag.key, f"{flag.on[0]} has no effect without --spec-type {kind.drafter.name}")
    return list(lines.values())


def _flag(kind: Kind, knob: str) -> Flag:
    return RUN.table[kind.params.flag(knob)][0]
