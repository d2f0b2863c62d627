"""What drafting was worth: counters per drafter and per request, and the lines that report them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Style = Literal["new", "old"]
Spelled = Callable[[str], str]
"""A flag of today -> the spelling that the user knows it by."""

RAISE_ABOVE = 0.60
"""Acceptance above which longer drafts pay."""
LOWER_BELOW = 0.40
"""Acceptance below which drafts are too long, or the wrong ones."""
ENOUGH = 32
"""Drafted tokens below which a rate says nothing yet."""


@dataclass
class Counters:
    """What one drafter did since it was made; never reset by a request.

    calls: begin, draft and accept calls. gen: non-empty drafts, and their tokens after the cut to the slot's limit;
    levels: the depths of the drafts (a chain has as many as tokens, a tree fewer).
    acc: verifications that kept at least one token of this drafter, and the tokens kept. per_pos[i]: verifications
    that kept more than i tokens. ms: time spent in begin, draft, accept. settings: the knobs in force. length_flag,
    strictness_flag: what bounds a draft, and what makes the drafter choosier when raised; "" = there is none.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    calls_begin: int = 0
    calls_draft: int = 0
    calls_accept: int = 0
    gen_drafts: int = 0
    acc_drafts: int = 0
    gen_tokens: int = 0
    gen_levels: int = 0
    acc_tokens: int = 0
    per_pos: list[int] = field(default_factory=list)
    ms_begin: float = 0.0
    ms_draft: float = 0.0
    ms_accept: float = 0.0
    length_flag: str = ""
    strictness_flag: str = ""
    needs_model: bool = False

    def offered(self, n: int, levels: int) -> None:
        """The target is offered a draft of n tokens on so many levels."""
        self.gen_drafts += 1
        self.gen_tokens += n
        self.gen_levels += levels

    def kept(self, n: int) -> None:
        """The target kept n tokens of this drafter's draft."""
        self.calls_accept += 1
        _add_per_pos(self.per_pos, n)
        if n > 0:
            self.acc_drafts += 1
            self.acc_tokens += n

    def copy(self) -> "Counters":
        """A snapshot that later calls do not change."""
        return replace(self, settings=dict(self.settings), per_pos=list(self.per_pos))

    @property
    def rate(self) -> float:
        """Accepted share of the drafted tokens, 0 before the first."""
        return self.acc_tokens / self.gen_tokens if self.gen_tokens else 0.0

    @property
    def mean_len(self) -> float:
        """Tokens gained per verification, the target's own one included; 1 before the first."""
        return 1 + self.acc_tokens / self.calls_accept if self.calls_accept else 1.0

    def line(self, style: Style = "new") -> str:
        """llama.cpp's statistics line (speculation spec 1.11).

        The old generation never delivered an accept of zero tokens, so its count of accept calls is `acc_drafts`.
        """
        durations = f"dur(b,g,a) = {self.ms_begin:.3f}, {self.ms_draft:.3f}, {self.ms_accept:.3f} ms"
        if style == "old":
            name = "draft" if self.name == "draft-simple" else self.name.replace("-", "_")
            return (
                f"statistics {name}: #calls(b,g,a) = {self.calls_begin} {self.calls_draft} {self.acc_drafts}, "
                f"#gen drafts = {self.gen_drafts}, #acc drafts = {self.acc_drafts}, "
                f"#gen tokens = {self.gen_tokens}, #acc tokens = {self.acc_tokens}, {durations}"
            )
        rates = ""
        if self.calls_accept:
            per_pos = ", ".join(self.printed_rates())
            rates = f"#mean acc len = {self.mean_len:.2f}, #acc rate/pos = ({per_pos}), "
        return (
            f"statistics {self.name:>16}: #calls(b,g,a) = {self.calls_begin:4d} {self.calls_draft:6d} "
            f"{self.calls_accept:6d}, #gen drafts = {self.gen_drafts:6d}, #acc drafts = {self.acc_drafts:5d}, "
            f"#gen tokens = {self.gen_tokens:6d}, #acc tokens = {self.acc_tokens:5d}, {rates}{durations}"
        )

    def printed_rates(self) -> list[str]:
        """Acceptance per position as the line prints it; as long as the longest acceptance so far."""
        return [f"{count / self.calls_accept:.3f}" for count in self.per_pos]

    def json(self) -> dict[str, Any]:
        """The counters as plain values."""
        rates = [count / self.calls_accept for count in self.per_pos] if self.calls_accept else []
        return {
            "name": self.name,
            "settings": dict(self.settings),
            "calls": {"begin": self.calls_begin, "draft": self.calls_draft, "accept": self.calls_accept},
            "gen_drafts": self.gen_drafts,
            "acc_drafts": self.acc_drafts,
            "gen_tokens": self.gen_tokens,
            "acc_tokens": self.acc_tokens,
            "mean_acc_len": self.mean_len,
            "acc_rate_per_pos": rates,
            "ms": {"begin": self.ms_begin, "draft": self.ms_draft, "accept": self.ms_accept},
        }


@dataclass
class Request:
    """What drafting did for one answer.

    draft_n, draft_n_accepted: tokens offered to the target and kept by it. steps: verifications of a non-empty
    draft. per_pos[i]: steps that kept more than i tokens.
    """

    draft_n: int = 0
    draft_n_accepted: int = 0
    steps: int = 0
    per_pos: list[int] = field(default_factory=list)

    def observe_draft(self, n_draft: int, n_accepted: int) -> None:
        """One step's draft; an empty one is plain decoding and not counted."""
        if n_draft <= 0:
            return
        self.draft_n += n_draft
        self.draft_n_accepted += n_accepted
        self.steps += 1
        _add_per_pos(self.per_pos, n_accepted)

    def copy(self) -> "Request":
        """A snapshot that later steps do not change."""
        return replace(self, per_pos=list(self.per_pos))

    @property
    def rate(self) -> float:
        """Accepted share of the drafted tokens, 0 before the first."""
        return self.draft_n_accepted / self.draft_n if self.draft_n else 0.0

    @property
    def mean_len(self) -> float:
        """Tokens gained per verified draft, the target's own one included; 1 before the first."""
        return 1 + self.draft_n_accepted / self.steps if self.steps else 1.0

    def rates(self, width: int = 0) -> list[float]:
        """Share of the steps that kept more than i tokens, for i < width (or the longest acceptance, if longer)."""
        counts = self.per_pos + [0] * (width - len(self.per_pos))
        return [count / self.steps if self.steps else 0.0 for count in counts]

    def timings(self) -> dict[str, int]:
        """The two fields of the server's `timings`; absent when nothing was drafted."""
        if not self.draft_n:
            return {}
        return {"draft_n": self.draft_n, "draft_n_accepted": self.draft_n_accepted}


@dataclass(frozen=True)
class Report:
    """A snapshot to print after an answer. n_max: the longest draft that could have been offered."""

    request: Request
    drafters: tuple[Counters, ...] = ()
    n_max: int = 0

    @classmethod
    def of(cls, request: Request, drafters: Sequence[Counters], n_max: int = 0) -> "Report":
        """Copies the counters, so that the report stays what it is."""
        return cls(request.copy(), tuple(counters.copy() for counters in drafters), n_max)

    def header(self) -> str:
        """The drafters in the order they are asked, with the values in force."""
        parts: list[str] = []
        for drafter in self.drafters:
            knobs = ", ".join(f"{name.replace('_', '-')} {_shown(value)}" for name, value in drafter.settings.items())
            parts.append(f"{drafter.name} ({knobs})" if knobs else drafter.name)
        return f"speculation: {', '.join(parts) or 'none'}"

    def acceptance(self, style: Style = "new") -> str:
        """The slot's line, "" when nothing was drafted."""
        request = self.request
        if not request.draft_n:
            return ""
        counts = f"({request.draft_n_accepted:5d} accepted / {request.draft_n:5d} generated)"
        if style == "old":
            return f"draft acceptance rate = {request.rate:0.5f} {counts}"
        return f"draft acceptance = {request.rate:0.5f} {counts}, mean len = {request.mean_len:5.2f}"

    def lines(self, style: Style = "new", per_position: bool = False) -> list[str]:
        """The acceptance line, then a line per drafter. per_position adds the slot's rate per position (new only)."""
        lines = [self.acceptance(style)] if self.request.draft_n else []
        if lines and per_position and style == "new":
            rates = ", ".join(f"{rate:.3f}" for rate in self.request.rates(self.n_max))
            lines.append(f"     acc per pos = ({rates})")
        return lines + [drafter.line(style) for drafter in self.drafters]

    def advice(self, spelled: Spelled = str) -> list[str]:
        """What to change, one line per drafter whose own numbers say so. spelled: a flag in the user's spelling."""
        return [line for drafter in self.drafters if (line := _advice(drafter, spelled))]

    def json(self, spelled: Spelled = str) -> dict[str, Any]:
        """Everything, as plain values. spelled: as in advice."""
        return {
            "draft_n": self.request.draft_n,
            "draft_n_accepted": self.request.draft_n_accepted,
            "acceptance": self.request.rate,
            "mean_len": self.request.mean_len,
            "verify_steps": self.request.steps,
            "acc_per_pos": self.request.rates(self.n_max),
            "drafters": [drafter.json() for drafter in self.drafters],
            "advice": self.advice(spelled),
        }


def _add_per_pos(per_pos: list[int], n: int) -> None:
    per_pos.extend([0] * (n - len(per_pos)))
    for i in range(n):
        per_pos[i] += 1


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _advice(drafter: Counters, spelled: Spelled) -> str:
    """Users are told: above 60 % raise the draft length; below 40 % lower it, be choosier, or change the draft.

    The siblings of a tree cannot all be right, so trees are judged by their levels.
    """
    if drafter.gen_tokens < ENOUGH:
        return ""
    rate = drafter.acc_tokens / drafter.gen_levels
    unit = "drafted tokens" if drafter.gen_levels == drafter.gen_tokens else "levels of drafted trees"
    said = f"{drafter.name}: {rate:.1%} of {drafter.gen_levels} {unit} were accepted"
    model = drafter.needs_model
    length, choosier = (spelled(flag) if flag else "" for flag in (drafter.length_flag, drafter.strictness_flag))
    if rate > RAISE_ABOVE:
        return f"{said}; above {RAISE_ABOVE:.0%}, longer drafts may pay: raise {length}" if length else ""
    if rate >= LOWER_BELOW:
        return ""
    raised = f"raise {choosier}" if choosier else ""
    cures = [f"lower {length}" if length else "", raised, "use a draft closer to the model" if model else ""]
    cures = [cure for cure in cures if cure] + ([] if model else ["try another --spec-type"])
    return f"{said}; below {LOWER_BELOW:.0%}: {', or '.join(cures)}"
