"""Which option groups each command takes."""

from dataclasses import dataclass, replace
from functools import cached_property

from .chat import Chat
from .context import Context
from .draft import Draft
from .flag import Flag, Status, collect
from .later import LATER
from .log import About, Log
from .model import Model
from .placement import Placement
from .sampling import Sampling
from .speculation import Speculation


@dataclass(frozen=True)
class Command:
    """A verb: the groups it takes, the flags that do not act yet, and a word without a dash if it takes one.

    loose: a flag it does not know is such a word too. only: the keys it takes of its groups; empty = all.
    """

    name: str
    summary: str
    groups: tuple[type, ...]
    extra: tuple[Flag, ...] = ()
    operand: str = ""
    loose: bool = False
    only: frozenset[str] = frozenset()

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """Every row that the command understands."""
        return (*(flag for flag in collect(self.groups) if not self.only or flag.key in self.only), *self.extra)

    @cached_property
    def table(self) -> dict[str, tuple[Flag, bool]]:
        """Spelling -> (flag, whether the spelling switches it on)."""
        return {name: (flag, name not in flag.off) for flag in self.flags for name in flag.names}

    @cached_property
    def keys(self) -> dict[str, Flag]:
        """Keyword -> flag."""
        return {flag.key: flag for flag in self.flags}


ALL = (Chat, Model, Context, Speculation, Draft, Placement, Sampling, Log, About)

RUN = Command("run", "Answer a prompt, or chat. The verb may be left out.", ALL, LATER)
DEMO = Command("demo", "run on the small models inside the package: no download.", ALL, LATER)
SHOW = Command("show", "What a GGUF file says: layers, types, tokenizer.", (Model, Log, About), (), "FILE")
FLAGS = Command("flags", "List the options, or those that contain a text.", (Log, About), (), "TEXT", True)


def _tool(name: str, summary: str, operand: str, *only: str) -> Command:
    """A lookup tool: the flags it reads; the model's other flags are accepted, since llama.cpp's scripts carry them."""
    groups = (Chat, Model, Context, Speculation, Draft, Log, About)
    wanted = frozenset((*only, *(flag.key for flag in collect((Log, About)) if flag.key not in TIMINGS)))
    rest = (flag for flag in collect((Context, Placement) if "model" in only else ()) if flag.key not in wanted)
    idle = tuple(replace(flag, status=Status.INERT, group="", field="") for flag in rest)
    return Command(name, summary, groups, idle, operand, only=wanted)


TIMINGS = ("show_timings", "color")
TEXT = ("model", "override_kv", "prompt", "file", "escape")
LOOKUP_CREATE = _tool(
    "lookup-create", "Write a static lookup file (-lcs) of a text: what followed each pair of tokens.", "",
    *TEXT, "lookup_cache_static",
)  # fmt: skip
LOOKUP_MERGE = _tool("lookup-merge", "Add the counts of lookup files up; the last name is the output.", "FILE...")
LOOKUP_STATS = _tool(
    "lookup-stats", "Replay a text and say what lookup files would have drafted of it.", "",
    *TEXT, "ctx_size", "lookup_cache_static", "lookup_cache_dynamic", "spec_draft_n_max", "draft_max", "spec_compat",
)  # fmt: skip

COMMANDS = (RUN, DEMO, SHOW, FLAGS, LOOKUP_CREATE, LOOKUP_MERGE, LOOKUP_STATS)
