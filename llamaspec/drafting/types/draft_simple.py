"""draft-simple: a smaller model guesses, with the noise the target will choose with."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...models._passes import Branch, Passes
from ...sampling.sampler import Rows
from ..draft import Draft
from ..drafter import Kept, Slot
from ._knobs import in_range, ordered

CANDIDATES = 10
"""The reference's probabilities are a softmax over this many of the highest draft logits."""


@dataclass(frozen=True)
class Params:
    """n_max, n_min: longest and shortest draft. p_min: a draft ends where the best of 10 candidates is less likely.

    keep_last: that token is still offered (llama.cpp's older rule). coupled: choose with the target's chain, state and
    noise; else greedily, as llama.cpp does.
    """

    n_max: int = 3
    n_min: int = 0
    p_min: float = 0.0
    keep_last: bool = field(default=False, repr=False)
    coupled: bool = field(default=True, repr=False)

    def __post_init__(self) -> None:
        in_range("draft", "n_max", self.n_max, 0, 1024)
        in_range("draft", "n_min", self.n_min, 0, 1024)
        in_range("draft", "p_min", self.p_min, 0.0, 1.0)
        ordered("draft", "n_min", self.n_min, "n_max", self.n_max)


@dataclass
class _Mirror:
    """What the draft model's cache holds of a slot. agreed: leading tokens known to equal the slot's."""

    tokens: list[int] = field(default_factory=list)
    agreed: int = 0


class Drafter:
    """A draft model that keeps "a cache of the same history" (speculation spec 2).

    Before each draft its cache is brought in step with the slot: the longest common prefix stays, the rest is decoded.
    That one rule covers accepted drafts, rejected ones, other drafters' turns and edited histories.
    n_vocab: the target's; ids that only one of the two models knows are never drafted, and while the history holds
    one, there is no draft.
    """

    name = "draft-simple"
    features: Sequence[int] = ()
    top = 0

    def __init__(self, passes: Passes, n_vocab: int, params: Params | None = None) -> None:
        self.passes, self.n_vocab = passes, n_vocab
        self.params = params or Params()
        self.n_max = self.params.n_max
        self._mirrors: dict[int, _Mirror] = {}

    def begin(self, slot: Slot) -> None:
        """The prompt may be any other: only what it shares with the cache stays."""
        self.forget(slot)

    def forget(self, slot: Slot) -> None:
        """Compare the history from its start again."""
        self._mirror(slot).agreed = 0

    def observe(self, slot: Slot, rows: Kept) -> None:
        """The history says it all."""

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """The history says it all."""

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """Chains of at most n_max tokens; every step decodes one token of each slot that is still drafting."""
        writing = {slot.id: _Writing(slot, self._limit(slot)) for slot in slots}
        rows = {pen.slot.id: self._catch_up(pen.slot) for pen in writing.values() if pen.limit > 0}
        while rows:
            for number, logits in rows.items():
                writing[number].add(_fit(logits, self.n_vocab), self.params)
            live = [pen for pen in writing.values() if pen.slot.id in rows and pen.goes_on]
            rows = self._next([pen for pen in live if self._has_room(pen)])
        return [self._draft(writing[slot.id]) for slot in slots]

    def _draft(self, pen: "_Writing") -> Draft:
        tokens = pen.tokens if len(pen.tokens) >= self.params.n_min else []
        return Draft.chain(tokens, self.name)

    def _limit(self, slot: Slot) -> int:
        """The longest draft that this slot may have now; 0 when the draft model cannot follow it."""
        known = self._mirror(slot).agreed
        n_vocab, context = self.passes.model.hparams.n_vocab, self.passes.cache.context
        if len(slot.tokens) > context or any(token >= n_vocab for token in slot.tokens[known:]):
            return 0
        return min(self.n_max, slot.limit) if slot.limit > 0 else self.n_max

    def _has_room(self, pen: "_Writing") -> bool:
        """The newest draft token can be evaluated by the draft model."""
        fits = len(pen.slot.tokens) + len(pen.tokens) <= self.passes.cache.context
        return fits and pen.tokens[-1] < self.passes.model.hparams.n_vocab

    def _catch_up(self, slot: Slot) -> Tensor:
        """Bring the cache in step with slot.tokens -> logits [V_draft] after the last one."""
        mirror, tokens = self._mirror(slot), slot.tokens
        shared, end = mirror.agreed, min(len(mirror.tokens), len(tokens) - 1)
        while shared < end and mirror.tokens[shared] == tokens[shared]:
            shared += 1
        self.passes.cache.truncate(slot.id, shared)
        missing = tokens[shared:]
        for _ in self.passes.read(slot.id, missing[:-1]):
            pass
        mirror.tokens[shared:] = missing
        mirror.agreed = len(tokens)
        logits = self.passes.decode([Branch(slot.id, missing[-1:])])[0].logits[-1]
        self.passes.cache.commit(slot.id, [0])
        return logits

    def _next(self, live: Sequence["_Writing"]) -> dict[int, Tensor]:
        """Decode the newest draft token of each -> slot id: logits [V_draft]."""
        if not live:
            return {}
        outputs = self.passes.decode([Branch(pen.slot.id, pen.tokens[-1:]) for pen in live])
        for pen in live:
            self.passes.cache.commit(pen.slot.id, [0])
            self._mirror(pen.slot).tokens.append(pen.tokens[-1])
        return {pen.slot.id: output.logits[-1] for pen, output in zip(live, outputs, strict=True)}

    def _mirror(self, slot: Slot) -> _Mirror:
        return self._mirrors.setdefault(slot.id, _Mirror())


class _Writing:
    """A draft in the making: the target's chain applied to the history plus the draft so far."""

    def __init__(self, slot: Slot, limit: int) -> None:
        self.slot, self.limit = slot, limit
        self.state = slot.state
        self.tokens: list[int] = []
        self.goes_on = limit > 0

    def add(self, logits: Tensor, params: Params) -> None:
        """logits [V]: choose the next token, or end the draft."""
        sure = params.p_min <= 0 or _best_probability(logits) >= params.p_min
        if not sure and not params.keep_last:
            self.goes_on = False
            return
        self.tokens.append(self._choose(logits, params.coupled))
        self.goes_on = sure and len(self.tokens) < self.limit

    def _choose(self, logits: Tensor, coupled: bool) -> int:
        chain = self.slot.chain
        if not coupled or chain is None:
            return int(logits.argmax())
        position = torch.tensor([len(self.slot.tokens) + len(self.tokens)], device=logits.device)
        rows = Rows(position, self.slot.seed)
        token = int(chain.choose(logits.unsqueeze(0), rows, self.state)[0])
        self.state = chain.advance(self.state, token, logits, rows)
        return token


def _fit(logits: Tensor, n_vocab: int) -> Tensor:
    """logits [V_draft] -> [V_target]: ids that the target does not know are cut, ones that the draft lacks are out."""
    short = n_vocab - logits.shape[-1]
    return logits[:n_vocab] if short <= 0 else torch.nn.functional.pad(logits, (0, short), value=float("-inf"))


def _best_probability(logits: Tensor) -> float:
    """logits [V] -> probability of the best among the 10 highest (speculation spec 1.10)."""
    return float(torch.softmax(logits.topk(min(CANDIDATES, logits.shape[-1])).values, dim=-1)[0])
