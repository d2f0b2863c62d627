"""Drafters over plain lists of tokens, without a model: `llamaspec.drafter(name, ...)`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from ..errors import LlamaspecError, UsageError
from .build import build, kind_of, spelled, without_model
from .context import DrafterContext
from .drafter import Drafter, Slot
from .first_of import FirstOf
from .stats import Counters, Report, Request

Compat = Literal["own", "reference", "old"]


class Ask(NamedTuple):
    """One sequence's question: history excludes id_last, the newest token. n_max <= 0 = no limit."""

    history: Sequence[int]
    id_last: int
    n_max: int = -1
    seq: int = 0


class Session:
    """begin / draft / accept / stats over token lists, several sequences at a time.

    The engine tells drafters about a history that grows; here the caller hands over whole histories, which may also
    be edited. `draft` of one sequence is a call of the container of its own; `draft_many` is one call for several.
    """

    def __init__(self, drafters: Sequence[Drafter]) -> None:
        self._drafters = FirstOf(drafters)
        self._slots: dict[int, Slot] = {}
        self._request = Request()
        self._offered: dict[int, int] = {}

    @property
    def n_max(self) -> int:
        """The longest draft that any of the drafters writes."""
        return self._drafters.n_max

    def begin(self, prompt: Sequence[int], seq: int = 0) -> None:
        """A new prompt (llama.cpp: all of its tokens that are evaluated)."""
        slot = self._slots.setdefault(seq, Slot(seq))
        slot.tokens = _checked([*prompt])
        self._drafters.begin(slot)

    def draft(self, history: Sequence[int], id_last: int, n_max: int = -1, seq: int = 0) -> list[int]:
        """Guesses for the tokens after id_last, at most n_max (<= 0 = no limit); [] = no idea."""
        return self.draft_many([Ask(history, id_last, n_max, seq)])[0]

    def draft_many(self, asks: Sequence[Ask]) -> list[list[int]]:
        """A draft per question, in order; the sequences must differ."""
        slots = [self._told(ask) for ask in asks]
        if len({slot.id for slot in slots}) < len(slots):
            raise UsageError("draft_many was asked twice about one sequence", hint="give every question its own seq")
        drafts = self._drafters.propose(slots)
        for slot, draft in zip(slots, drafts, strict=True):
            self._offered[slot.id] = len(draft)
        return [list(draft.tokens) for draft in drafts]

    def accept(self, n: int, seq: int = 0) -> None:
        """n tokens of the sequence's last non-empty draft agreed with the target.

        Also after an empty draft, as llama.cpp's own callers may do; the author of the last non-empty one hears it.
        """
        if n < 0:
            raise UsageError(f"accept was told that {n} tokens survived")
        self._request.observe_draft(self._offered.pop(seq, 0), n)
        slot = self._slots.setdefault(seq, Slot(seq))
        self._drafters.accept(slot, n)

    def stats(self) -> dict[str, dict[str, Any]]:
        """Counters per drafter; rates are strings as llama.cpp prints them, absent before the first accept."""
        return {drafter.name: _printed(drafter.counters) for drafter in self._drafters.drafters}

    def report(self) -> Report:
        """The same numbers as lines, JSON and advice."""
        return self._drafters.report(self._request)

    def _told(self, ask: Ask) -> Slot:
        """The sequence's slot with the history of the question in it."""
        slot = self._slots.setdefault(ask.seq, Slot(ask.seq))
        slot.limit = ask.n_max
        known = len(slot.tokens)
        tokens = _checked([*ask.history, ask.id_last])
        if tokens[:known] == slot.tokens:
            slot.tokens += tokens[known:]
        else:
            slot.tokens = tokens
            self._drafters.forget(slot)
        return slot


def drafter(names: str | Sequence[str], *, spec_compat: Compat = "reference", **params: Any) -> Session:
    """The drafters called `names` (one, a comma list, or a list), with their knobs.

    Knobs of a single drafter go by their names (`size_n=3`); with several, name the drafter too
    (`ngram_mod={"n_match": 3}` or `ngram_mod_n_match=3`). spec_compat: as --spec-compat, but "reference" by default,
    which answers exactly as llama.cpp does; "own" has its errors fixed. Lookup files are paths, bytes, or the bytes
    in hex.
    Raises UsageError for unknown names and values out of range.
    """
    if spec_compat not in get_args(Compat):
        raise UsageError(f"spec_compat is {spec_compat!r}", hint=f"known: {', '.join(get_args(Compat))}")
    split = [part for name in ([names] if isinstance(names, str) else names) for part in name.split(",")]
    types = [name for name in dict.fromkeys(spelled(name) for name in split if name.strip()) if name != "none"]
    if not types:
        raise UsageError("no drafter was named", hint=f"known: {', '.join(without_model())}")
    rest = {_normal(key): value for key, value in params.items()}
    context = DrafterContext(compat=spec_compat)
    chosen = [_made(name, _knobs(name, rest, alone=len(types) == 1), context) for name in types]
    if rest:
        raise UsageError(f"unknown keyword: {', '.join(sorted(rest))}", hint=f"the drafters are {', '.join(types)}")
    return Session(chosen)


def _checked(tokens: list[int]) -> list[int]:
    """Raises UsageError unless every token is an id: a whole number from 0 to 2^31 - 1."""
    try:
        valid = not tokens or (min(tokens) >= 0 and max(tokens) < 1 << 31 and {*map(type, tokens)} == {int})
    except TypeError:
        valid = False
    if not valid:
        raise UsageError("a history must be a list of token ids", hint="whole numbers from 0 to 2147483647")
    return tokens


def _normal(key: str) -> str:
    return key.replace("-", "_").removeprefix("spec_")


def _knobs(name: str, rest: dict[str, Any], alone: bool) -> dict[str, Any]:
    """Takes this drafter's knobs out of the keywords that are left."""
    own = name.replace("-", "_")
    nested = rest.pop(own, {})
    if not isinstance(nested, Mapping):
        raise UsageError(f"{own} must be a mapping of knobs, not {str(nested)[:40]!r}")
    knobs = {_normal(key): value for key, value in nested.items()}
    for key in [key for key in rest if key.startswith(own + "_")]:
        knobs[key.removeprefix(own + "_")] = rest.pop(key)
    if alone:
        knobs |= rest
        rest.clear()
    return knobs


def _made(name: str, knobs: Mapping[str, Any], context: DrafterContext) -> Drafter:
    try:
        kind = kind_of(name)
    except LlamaspecError as error:
        raise UsageError(error.message, error.hint) from None
    if kind.drafter.needs_model:
        raise UsageError(f"{name} needs a model", hint='llamaspec.load("model.gguf", model_draft="draft.gguf")')
    known = kind.params.names()
    if unknown := sorted(set(knobs) - set(known)):
        raise UsageError(f"{name} has no knob {', '.join(unknown)}", hint=f"known: {', '.join(known)}")
    knobs = {key: _content(value) if isinstance(value, str) else value for key, value in knobs.items()}
    longest, shortest = knobs.get("n_max"), getattr(kind.params, "n_min", None)
    if "n_min" not in knobs and isinstance(longest, int) and isinstance(shortest, int):
        knobs["n_min"] = min(shortest, max(longest, 0))  # a smaller n_max alone works
    return build(name, context, knobs)


def _content(text: str) -> str | bytes:
    """Hex digits that name no file are the content itself."""
    try:
        content = bytes.fromhex(text)
    except ValueError:
        return text
    return text if len(text) < 256 and Path(text).exists() else content


def _printed(counters: Counters) -> dict[str, Any]:
    names = ("calls_begin", "calls_draft", "calls_accept", "gen_drafts", "acc_drafts", "gen_tokens", "acc_tokens")
    shown: dict[str, Any] = {name: getattr(counters, name) for name in names}
    if counters.calls_accept:
        shown |= {"mean_acc_len": f"{counters.mean_len:.2f}", "acc_rate_per_pos": counters.printed_rates()}
    return shown
