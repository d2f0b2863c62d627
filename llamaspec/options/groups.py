"""What was said, as the parts of the program read it: one frozen object per option group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import UsageError
from .chat import Chat
from .commands import Command
from .context import Context
from .draft import Draft
from .flag import Flag
from .idle import idle
from .listing import Listing
from .log import About, Log
from .model import Model
from .placement import Placement
from .removal import Removal
from .sampling import Sampling
from .speculation import TYPES, Speculation


@dataclass(frozen=True)
class Entry:
    """One flag as it was said: the words of each time (() for a switch), what they mean, and the spelling used."""

    words: tuple[tuple[str, ...], ...]
    value: Any
    name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Note:
    """A remark about the command line. level: the verbosity from which it is shown (2 warning, 3 note)."""

    level: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Groups:
    """All option groups. said: the flags that were given, in order, by key. operands: words without a dash."""

    model: Model = field(default_factory=Model)
    context: Context = field(default_factory=Context)
    placement: Placement = field(default_factory=Placement)
    draft: Draft = field(default_factory=Draft)
    speculation: Speculation = field(default_factory=Speculation)
    sampling: Sampling = field(default_factory=Sampling)
    chat: Chat = field(default_factory=Chat)
    log: Log = field(default_factory=Log)
    about: About = field(default_factory=About)
    removal: Removal = field(default_factory=Removal)
    listing: Listing = field(default_factory=Listing)
    said: Mapping[str, Entry] = field(default_factory=dict, compare=False, repr=False)
    notes: tuple[Note, ...] = field(default=(), compare=False)
    operands: tuple[str, ...] = ()

    @property
    def drafters(self) -> tuple[str, ...]:
        """The drafters in use, with what `auto` stands for."""
        own = tuple(name for name in self.speculation.types if name != "auto")
        by_model = self.model.draft_wanted and not any(name.startswith("draft-") for name in own)
        return (*own, "draft-simple") if by_model and self.speculation.types else own


def given(flag: Flag, value: Any, keys: Mapping[str, Flag]) -> list[tuple[Flag, Any]]:
    """The fields that a flag sets: its own, or those it gives."""
    if not flag.gives:
        return [(flag, value)]
    targets = [(keys[key], text) for key, text in flag.gives if key in keys]
    return [(target, value if text is None else target.read(text)) for target, text in targets]


def build(
    command: Command, said: Mapping[str, Entry], notes: tuple[Note, ...] = (), operands: tuple[str, ...] = ()
) -> Groups:
    """The groups of what was said, in the order it was said. Raises UsageError when flags contradict each other."""
    fields: dict[str, dict[str, Any]] = {}
    explicit: set[str] = set()
    typed: set[str] = set()  # without what a preset brings along
    for key, entry in said.items():
        if entry.value is False and command.keys[key].gives:
            continue
        preset = any(text is not None for _, text in command.keys[key].gives)
        for flag, value in given(command.keys[key], entry.value, command.keys):
            if not flag.field:
                continue
            typed |= set() if preset else {flag.key}
            mine = fields.setdefault(flag.group, {})
            mine[flag.field] = mine[flag.field] + value if flag.many and flag.key in explicit else value
            explicit.add(flag.key)
    for group, *rivals in RIVALS:
        notes = (*notes, *_last_of(fields, _spoken(said, command.keys), group, *rivals))
    made = Groups(
        model=Model(**fields.get("model", {})),
        context=Context(**fields.get("context", {})),
        placement=Placement(**fields.get("placement", {})),
        draft=Draft(**fields.get("draft", {})),
        speculation=Speculation(**fields.get("speculation", {})),
        sampling=Sampling(**fields.get("sampling", {})),
        chat=Chat(**fields.get("chat", {})),
        log=Log(**fields.get("log", {})),
        about=About(**fields.get("about", {})),
        removal=Removal(**fields.get("removal", {})),
        listing=Listing(**fields.get("listing", {})),
        said=said,
        notes=notes,
        operands=operands,
    )
    brings_models = command.name == "demo"
    settled = _settled(made, typed)
    if command.name in ("run", "demo"):
        lines = idle(
            {key: entry.name for key, entry in said.items()},
            {key: [flag.key for flag, _ in given(command.keys[key], None, command.keys)] for key in said},
            settled.speculation.types,
            brings_models or _drafts_by_model(settled),
        )
        notes = tuple(dict.fromkeys((*notes, *(Note(2, line) for line in lines))))
    return _checked(replace(settled, notes=notes), brings_models)


def _drafts_by_model(groups: Groups) -> bool:
    """Whether a draft model (or head) drafts."""
    types = groups.speculation.types
    return any(name.startswith("draft-") for name in types) or (groups.model.draft_wanted and "auto" in types)


RIVALS = (
    ("model", "model", "hf_repo", "model_url"),
    ("model", "model_draft", "hf_repo_draft"),
    ("chat", "prompt", "file", "binary_file"),
    ("chat", "system_prompt", "system_prompt_file"),
    ("chat", "chat_template", "chat_template_file"),
)
"""Group and flags that fill the same place: the last one counts."""


def _spoken(said: Mapping[str, Entry], keys: Mapping[str, Flag]) -> list[tuple[str, str]]:
    """Keyword and spelling of every flag that was said or that a preset brought along, in order."""
    return [
        (target.key, entry.name or keys[key].long)
        for key, entry in said.items()
        for target, _ in given(keys[key], entry.value, keys)
    ]


def _last_of(
    fields: dict[str, dict[str, Any]], spoken: Sequence[tuple[str, str]], group: str, *rivals: str
) -> list[Note]:
    """Drops the fields of the losers; returns a note for each."""
    found = [(key, name) for key, name in spoken if key in rivals]
    for loser, _ in found[:-1]:
        if loser != found[-1][0]:
            fields[group].pop(loser, None)
    return [Note(2, f"{name} is ignored, {found[-1][1]} is used") for loser, name in found if loser != found[-1][0]]


def _settled(groups: Groups, typed: set[str]) -> Groups:
    """Values that depend on other flags."""
    spec, draft = groups.speculation, groups.draft
    if spec.compat == "old":
        old = {"n_max": ("spec_draft_n_max", 16), "p_min": ("spec_draft_p_min", 0.75)}
        draft = replace(draft, **{name: value for name, (key, value) in old.items() if key not in typed})
    types = tuple(dict.fromkeys(name for name in spec.types if name != "none"))
    # llama.cpp would load the draft model and not use it; who names one wants it used.
    if groups.model.draft_wanted and types and not any(name == "auto" or name.startswith("draft-") for name in types):
        types = (*types, "auto")
    types = tuple(sorted(types, key=_place))
    n_min = spec.ngram_mod_n_min
    if "spec_ngram_mod_n_min" not in typed:
        n_min = min(n_min, spec.ngram_mod_n_max)
    spec = replace(spec, types=types, ngram_mod_n_min=n_min)
    return replace(groups, speculation=spec, draft=draft)


def _place(name: str) -> int:
    """llama.cpp's order of asking; drafters that only exist here come before those with a model."""
    order = {known: 2 * place for place, known in enumerate((*TYPES, "auto"))}
    return order.get(name, order["draft-simple"] - 1)


def _spelled(groups: Groups, key: str, older: str) -> str:
    """The flag of `key` as it was typed, which may be an older name for it."""
    typed = [groups.said[name].name for name in groups.said if name in (key, older)]
    return typed[-1] if typed and typed[-1].startswith("--") else "--" + key.replace("_", "-")


def _checked(groups: Groups, brings_models: bool) -> Groups:
    """Refuses speculation that can never draft a token. brings_models: the command has a draft model of its own."""
    spec, draft = groups.speculation, groups.draft
    model_drafts = _drafts_by_model(groups)
    off = "--spec-type none switches speculation off"
    least = _spelled(groups, "spec_draft_n_min", "draft_min")
    most = _spelled(groups, "spec_draft_n_max", "draft_max")
    if model_drafts and draft.n_max == 0:
        raise UsageError(f"{most} 0 leaves the draft model nothing to draft", off)
    if model_drafts and draft.n_min > draft.n_max:
        raise UsageError(
            f"{least} {draft.n_min} is more than {most} {draft.n_max}: no draft would be used",
            f"raise {most} to at least {draft.n_min}",
        )
    if "ngram-mod" in spec.types and (spec.ngram_mod_n_max == 0 or spec.ngram_mod_n_min > spec.ngram_mod_n_max):
        least = _spelled(groups, "spec_ngram_mod_n_min", "draft_min")
        most = _spelled(groups, "spec_ngram_mod_n_max", "draft_max")
        raise UsageError(
            f"{least} {spec.ngram_mod_n_min} and {most} {spec.ngram_mod_n_max}: no draft of ngram-mod would be used",
            f"raise {most} to at least {max(spec.ngram_mod_n_min, 1)}",
        )
    lonely = [name for name in spec.types if name in ("draft-simple", "draft-tree")]
    if lonely and not groups.model.draft_wanted and not (brings_models and not groups.model.wanted):
        raise UsageError(
            f"--spec-type {lonely[0]} needs a draft model", "give its GGUF file with -md, or -hfd USER/MODEL"
        )
    if spec.synth_len is not None and spec.synth_rates:
        raise UsageError("--spec-synth-len and --spec-synth-rates exclude each other", "give one of them")
    return groups
