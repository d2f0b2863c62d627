"""draft-simple: a smaller model guesses, with the noise the target will choose with."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...arrays import Array, like
from ...sampling.sampler import Rows
from ..context import DrafterContext
from ..draft import Draft
from ..draft_model import DraftModel
from ..drafter import Slot
from ..translate import Translated
from ._device_chain import DeviceChain
from ._model_draft import ModelDrafter, ModelParams, probabilities, ranked


@dataclass(frozen=True)
class Params(ModelParams):
    """Those of every drafter that asks a model."""


class Drafter(ModelDrafter):
    """Chains of a draft model (speculation spec 2)."""

    name = "draft-simple"
    order = 110

    def __init__(self, model: DraftModel, params: Params | None = None) -> None:
        super().__init__(model)
        self.params: Params = params or Params()
        self.n_max = self.params.n_max

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """Chains of at most n_max tokens; every step decodes one token of each slot that is still drafting."""
        writing = [_Writing(slot, min(self.n_max, self.model.room(slot))) for slot in slots]
        live = [pen for pen in writing if pen.limit > 0]
        for pen in live:
            self.model.follow(pen.slot)
        newest = [pen.slot.tokens[-1] for pen in live]
        while live:
            for pen, logits in zip(live, self.model.extend([pen.slot for pen in live], newest), strict=True):
                pen.add(logits, self.params)
            live = [pen for pen in live if pen.goes_on]
            newest = [pen.tokens[-1] for pen in live]
        return [self._draft(pen.tokens) for pen in writing]

    def on_device(self, rows: int | None, context: int) -> DeviceChain | None:
        """Chains of always n_max tokens, if the draft model can hold all that the target can, and nobody shares it."""
        model, k = self.model, self.n_max
        cache = model.runner.cache
        by_cell = cache.draft_rows >= cache.context >= context  # not a window, not a state: see engine.device_loop
        holds = by_cell and len(cache.lengths) == 1 and model.known >= model.n_vocab
        if self.params.p_min > 0 or not 0 < k < (rows or k + 1) or not holds:
            return None
        return DeviceChain(self.name, model, k, self.params.coupled)

    def drafted_on_device(self, slot: Slot, n: int, kept: int) -> None:
        """The model's cache has grown with the history."""
        self.model.read_on_device(slot)

    def _draft(self, tokens: Sequence[int]) -> Draft:
        return Draft.chain(tokens if len(tokens) >= self.params.n_min else (), self.name)


def build(context: DrafterContext, params: Params) -> Drafter | Translated:
    """Chains of the draft model of -md."""
    return context.translated(Drafter(context.draft_model(params.n_max), params.like(context.compat)))


class _Writing:
    """A draft in the making: the target's chain applied to the history plus the draft so far."""

    def __init__(self, slot: Slot, limit: int) -> None:
        self.slot, self.limit = slot, limit
        self.state = slot.state
        self.tokens: list[int] = []
        self.goes_on = limit > 0

    def add(self, logits: Array, params: Params) -> None:
        """logits [V]: choose the next token, or end the draft."""
        self.goes_on = False
        sure = params.p_min <= 0 or next(iter(probabilities(logits[None])[0].values())) >= params.p_min
        if not sure and not params.keep_last:
            return
        token = self._choose(logits, params.coupled)
        if token is None:
            return
        self.tokens.append(token)
        self.goes_on = sure and len(self.tokens) < self.limit

    def _choose(self, logits: Array, coupled: bool) -> int | None:
        """None: the logits leave no choice."""
        chain = self.slot.chain if coupled else None
        position = like([len(self.slot.tokens) + len(self.tokens)], logits)
        rows = Rows(position, self.slot.seed)
        found = ranked(chain, logits[None], rows, self.state, 1)[0]
        if found and chain is not None:
            self.state = chain.advance(self.state, found[0], logits, rows)
        return found[0] if found else None
