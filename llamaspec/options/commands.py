"""Which option groups each command takes."""

from dataclasses import dataclass
from functools import cached_property

from .chat import Chat
from .context import Context
from .draft import Draft
from .flag import Flag, collect
from .later import LATER
from .log import About, Log
from .model import Model
from .placement import Placement
from .sampling import Sampling
from .speculation import Speculation


@dataclass(frozen=True)
class Command:
    """A verb: the groups it takes, the flags that do not act yet, and a word without a dash if it takes one."""

    name: str
    summary: str
    groups: tuple[type, ...]
    extra: tuple[Flag, ...] = ()
    operand: str = ""

    @cached_property
    def flags(self) -> tuple[Flag, ...]:
        """Every row that the command understands."""
        return (*collect(self.groups), *self.extra)

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
FLAGS = Command("flags", "List the options, or those that contain a text.", (Log, About), (), "TEXT")

COMMANDS = (RUN, DEMO, SHOW, FLAGS)
