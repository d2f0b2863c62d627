"""A flag: one thing the user may say, declared once, where its value lives."""

import dataclasses
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Status(Enum):
    """What a flag does here today."""

    LIVE = "live"
    INERT = "ignored: does not apply"
    LATER = "ignored: not supported yet"
    REFUSED = "refused"


@dataclasses.dataclass(frozen=True)
class Flag:
    """One row of the option table.

    key: the keyword of the Python API, the first long spelling with _ for -. old: spellings of older llama.cpp.
    metavars: one per value word, () for a switch. bare: the value of a valued flag that stands without one.
    gives: what the flag sets in place of a value of its own: (key, text) pairs, None = the words that were typed.
    env: read in order, the last one that is set wins. common: part of the short help (-h).
    """

    key: str
    on: tuple[str, ...]
    off: tuple[str, ...] = ()
    old: tuple[str, ...] = ()
    metavars: tuple[str, ...] = ()
    help: str = ""
    default: Any = None
    shown_default: str | None = None
    parse: Callable[..., Any] | None = None
    env: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    bare: str | None = None
    many: bool = False
    status: Status = Status.LIVE
    reason: str = ""
    gives: tuple[tuple[str, str | None], ...] = ()
    group: str = ""
    field: str = ""
    common: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling, today's before the older ones."""
        return self.on + self.off + self.old

    @property
    def long(self) -> str:
        """The spelling that goes into messages."""
        return next((name for name in self.on if name.startswith("--")), self.on[0])

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return not self.metavars

    @property
    def env_off(self) -> tuple[str, ...]:
        """The variables whose mere presence switches a paired flag off."""
        prefix = "LLAMA_ARG_"
        return tuple(f"{prefix}NO_{name.removeprefix(prefix)}" for name in self.env) if self.off else ()

    def read(self, *words: str) -> Any:
        """The typed value of the words; raises ValueError that says what was expected."""
        if self.parse is not None:
            return self.parse(*words)
        if self.choices and words[0] not in self.choices:
            raise ValueError(f"expected one of {', '.join(self.choices)}")
        return (words[0],) if self.many else words[0]


def default(flag: Flag) -> str:
    """The default as it is printed, "" for a plain switch and for flags that set others."""
    if flag.gives or (flag.is_switch and not flag.off and flag.shown_default is None):
        return ""
    if flag.shown_default is not None:
        return flag.shown_default
    if isinstance(flag.default, bool):
        return "on" if flag.default else "off"
    return ",".join(map(str, flag.default)) if isinstance(flag.default, tuple) else str(flag.default)


def spelled(spec: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """A spelling such as "-fit, --fit on|off" or "-e, --escape / --no-escape" -> (on, off, metavars)."""
    positive, _, negative = spec.partition(" / ")
    words = positive.replace(",", " ").split() if "," in positive else positive.split()
    on = tuple(word for word in words if word.startswith("-"))
    last = positive.rindex(on[-1]) + len(on[-1])
    return on, tuple(negative.replace(",", " ").split()), tuple(positive[last:].split())


def row(spec: str, help: str, *, key: str = "", env: str = "", was: str = "", **rest: Any) -> Flag:
    """A Flag from its spelling as help prints it: names, then metavars, then " / " and the names that switch off.

    env and was (older spellings) are lists separated by spaces. The rest are Flag's own fields.
    """
    on, off, metavars = spelled(spec)
    long = next((name for name in on if name.startswith("--")), on[0])
    key = key or long.lstrip("-").replace("-", "_")
    return Flag(key, on, off, tuple(was.split()), metavars, help, env=tuple(env.split()), **rest)


def flag(
    spec: str,
    help: str,
    *,
    default: T,
    parse: Callable[..., T] | None = None,
    env: str = "",
    was: str = "",
    choices: tuple[str, ...] = (),
    bare: str | None = None,
    many: bool = False,
    shown: str | None = None,
    status: Status = Status.LIVE,
    reason: str = "",
    secret: bool = False,
    common: bool = False,
) -> T:
    """A dataclass field that is also a row of the table: the type checker relates parser, default and field.

    parse gets one word per metavar and raises ValueError("expected …"); without it the value is the word itself
    (checked against choices), or True / False for a switch. many: repeats add up, parse returns a tuple.
    shown: the default as help prints it, when it is not the value itself. secret: never part of a printed object.
    """
    made = row(
        spec, help, env=env, was=was, default=default, parse=parse, choices=choices, bare=bare, many=many,
        shown_default=shown, status=status, reason=reason, common=common,
    )  # fmt: skip
    return cast(T, dataclasses.field(default=default, repr=not secret, metadata={"flag": made}))


def collect(groups: Iterable[type]) -> tuple[Flag, ...]:
    """The rows of option groups, in the order they are declared: fields first, then the group's `rows`."""
    found: list[Flag] = []
    for group in groups:
        name = group.__name__.lower()
        for field in dataclasses.fields(group):
            found.append(dataclasses.replace(field.metadata["flag"], group=name, field=field.name))
        found += [dataclasses.replace(extra, group=name) for extra in getattr(group, "rows", ())]
    return tuple(found)
