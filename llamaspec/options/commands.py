"""Which option groups each command takes."""

from dataclasses import dataclass, replace
from functools import cached_property

from .chat import Chat
from .context import Context
from .draft import Draft
from .flag import Flag, Status, collect
from .later import LATER
from .listing import Listing
from .log import About, Log
from .model import Model
from .placement import Placement
from .removal import Removal
from .sampling import Sampling
from .speculation import Speculation


@dataclass(frozen=True)
class Command:
    """A verb: the groups it takes, the flags that do not act yet, and a word without a dash if it takes one.

    loose: a flag it does not know is such a word too. only: the keys it takes of its groups; empty = all.
    synopsis: what usually follows the name, in capitals what to replace; "" = the operand.
    work: module and function of cli that do it, if they are not called like the verb.
    """

    name: str
    summary: str
    groups: tuple[type, ...]
    extra: tuple[Flag, ...] = ()
    operand: str = ""
    loose: bool = False
    only: frozenset[str] = frozenset()
    work: str = ""
    synopsis: str = ""

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

RUN = Command(
    "run", "Answer a prompt, or chat. The verb may be left out.", ALL, LATER,
    synopsis="-m MODEL.gguf [-md DRAFT.gguf] [--spec-type TYPE,...] [-p PROMPT]",
)  # fmt: skip
DEMO = Command("demo", "Run the embedded demo models (no download).", ALL, LATER)
SHOW = Command(
    "show", "Show the contents of a GGUF file: layers, types, tokenizer.", (Listing, Model, Log, About), (), "FILE"
)
FLAGS = Command("flags", "List the options, or those that contain a text.", (Log, About), (), "TEXT", True)


def _tool(name: str, summary: str, operand: str, work: str, *only: str, synopsis: str = "") -> Command:
    """A lookup tool: the flags it reads; the model's other flags are accepted, since llama.cpp's scripts carry them."""
    groups = (Chat, Model, Context, Speculation, Draft, Log, About)
    wanted = frozenset((*only, *(flag.key for flag in collect((Log, About)) if flag.key not in TIMINGS)))
    rest = (flag for flag in collect((Context, Placement) if "model" in only else ()) if flag.key not in wanted)
    idle = tuple(replace(flag, status=Status.INERT, group="", field="") for flag in rest)
    return Command(name, summary, groups, idle, operand, only=wanted, work=work, synopsis=synopsis)


TIMINGS = ("show_timings", "color")
DOWNLOADS = ("hf_repo", "hf_file", "hf_repo_draft", "model_url", "hf_token", "offline")
TEXT = ("model", "hf_repo", "hf_file", "model_url", "hf_token", "offline", "override_kv", "prompt", "file", "escape")
LOOKUP_CREATE = _tool(
    "lookup-create", "Write a static lookup file (-lcs) of a text: what followed each pair of tokens.", "",
    "lookup.create", *TEXT, "lookup_cache_static", synopsis="-m MODEL.gguf -f TEXT -lcs OUTPUT",
)  # fmt: skip
LOOKUP_MERGE = _tool(
    "lookup-merge",
    "Merge lookup files; the last name is the output.",
    "FILE...",
    "lookup.merge",
    synopsis="PART... OUTPUT",
)
LOOKUP_STATS = _tool(
    "lookup-stats", "Replay a text and say what lookup files would have drafted of it.", "",
    "lookup.stats", *TEXT, "ctx_size", "lookup_cache_static", "lookup_cache_dynamic", "spec_draft_n_max", "draft_max",
    "spec_compat", synopsis="-m MODEL.gguf -f TEXT [-c N] [-lcs FILE] [-lcd FILE]",
)  # fmt: skip

LIST = Command("list", "List the downloaded models.", (Log, About), work="models.list_models")
PULL = Command(
    "pull", "Download a model without running it, and print its path.", (Model, Log, About), (), "USER/MODEL[:QUANT]",
    only=frozenset((*DOWNLOADS, *(flag.key for flag in collect((Log, About)) if flag.key != "show_timings"))),
    work="models.pull",
)  # fmt: skip
REMOVE = Command(
    "rm", "Delete downloaded models; without --yes only say what would be deleted.", (Removal, Log, About), (),
    "USER/MODEL[:QUANT]...", work="models.remove", synopsis="[--yes] USER/MODEL[:QUANT]...",
)  # fmt: skip

ALIAS = Command("alias", "Print shell aliases for llama-cli and llama-server.", (Log, About))

COMPLETION = Command(
    "completion", "Print the completion script of a shell: bash, zsh or fish.", (Log, About), (), "SHELL",
    work="printed.completion",
)  # fmt: skip
MAN = Command(
    "man", "Print a manual page; `llamaspec man | man -l -` shows it.", (Log, About), (), "COMMAND", work="printed.man",
)  # fmt: skip

COMMANDS = (
    RUN, DEMO, SHOW, FLAGS, LIST, PULL, REMOVE, LOOKUP_CREATE, LOOKUP_MERGE, LOOKUP_STATS, ALIAS, COMPLETION, MAN,
)  # fmt: skip
