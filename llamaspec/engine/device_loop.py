"""The loop for a device: steps run one ahead of the host, which reads each of them once and late."""

from collections.abc import Sequence

import torch

from ..drafting.drafter import Drafter
from ..drafting.first_of import FirstOf
from ..drafting.measured import Measured
from ..drafting.types.draft_simple import Drafter as Simple
from ..drafting.verify import verify
from ..network.runner import Runner
from .device_step import SLACK, DeviceStep, Guesser
from .graphs import Recorder, recorder_for
from .slots import Running
from .step import Judge, Loop, StepResult

AHEAD = 2
"""Steps under way while the host reads the oldest."""


def loop_for(target: Runner, drafter: FirstOf | None, judge: Judge = verify) -> Loop:
    """The loop that suits where the target is."""
    if target.model.device.type != "cuda" or judge is not verify:
        return Loop(target, drafter, judge)
    return DeviceLoop(target, drafter, recorder_for(target.model.device))


class DeviceLoop(Loop):
    """Loop, but one sequence with a stateless chain, plain or with drafts of a fixed length, stays on the device.

    Everything else walks as Loop does, with the same tokens: stateful samplers and grammars, drafters that read
    tokens on the host, trees, several sequences, the end of the context.
    """

    def __init__(self, target: Runner, drafter: Drafter | None, recorder: Recorder | None = None) -> None:
        super().__init__(target, drafter)
        self.simple = _only_simple(drafter)
        guesser = self._guesser(recorder)
        self.possible = drafter is None or guesser is not None
        self.device_step = DeviceStep(target, guesser, recorder) if self.possible else None
        self.expected: tuple[int, int] | None = None
        """(slot, its number of tokens) that the steps under way continue; None = nothing is under way."""

    def _guesser(self, recorder: Recorder | None) -> Guesser | None:
        """The draft model as a function of fixed shape, if that is all the drafting there is."""
        if self.simple is None:
            return None
        params, model = self.simple.params, self.simple.model
        runner, rows = model.runner, self.target.width or params.n_max + 1
        fits = runner.cache.context >= self.target.cache.context and len(runner.cache.lengths) == 1
        fits = fits and model.known >= self.target.model.hparams.n_vocab
        if params.p_min > 0 or not 0 < params.n_max < rows or not fits:
            return None
        other = runner.model.device != self.target.model.device
        own = recorder_for(runner.model.device) if other else recorder
        return Guesser(runner, model.n_vocab, params.n_max, params.coupled, own)

    def begin(self, slot: Running) -> None:
        """As Loop.begin; steps that are still under way belong to nobody."""
        self.expected = None
        super().begin(slot)

    def suits(self, slots: Sequence[Running]) -> bool:
        """Whether the device can go on by itself."""
        slot, cache = slots[0], self.target.cache
        if len(slots) > 1 or len(cache.lengths) > 1 or not self.possible or slot.chain is None:
            return False
        # Behind its capacity the draft model sees a moving window of the history, which the host moves.
        fits = self.simple is None or len(slot.tokens) + SLACK <= self.simple.model.capacity
        return fits and slot.chain.stateless

    def step(self, slots: Sequence[Running]) -> list[StepResult]:
        """As Loop.step."""
        if not self.suits(slots):
            self.expected = None  # what is under way lies behind the committed cells, and ahead of the host's passes
            return super().step(slots)
        slot, device = slots[0], self.device_step
        assert device is not None
        assert slot.chain is not None
        if self.expected != (slot.id, len(slot.tokens)):
            self._enter(slot)
        longest = len(slot.tokens) - 1
        while device.mailbox.waiting < AHEAD:
            device.launch(slot.chain, longest + device.mailbox.waiting * (device.k + 1))
        return [self._settle(slot, device.mailbox.read())]

    def _enter(self, slot: Running) -> None:
        """Put the sequence on the device; the draft model reads what it has not seen."""
        assert self.device_step is not None
        if self.simple is not None:
            self.simple.model.follow(slot)
        self.device_step.load(slot.tokens, slot.seed)

    def _settle(self, slot: Running, letter: list[int]) -> StepResult:
        """What one step gave, cut to what Loop would have given."""
        assert slot.chain is not None
        error, kept, *chosen = letter
        if error < 0:
            self.expected = None
            slot.chain.check(torch.tensor([error]))
        limit = max(0, slot.room(self.target.cache.context))
        tokens = chosen[: min(kept, limit) + 1]
        end = next((at for at, token in enumerate(tokens) if token in slot.ends), len(tokens) - 1)
        gained = tuple(tokens[: end + 1])
        slot.tokens.extend(gained)
        self.target.cache.lengths[slot.id] = len(slot.tokens) - 1
        self.expected = (slot.id, len(slot.tokens)) if len(gained) == kept + 1 else None
        drafted = min(len(chosen) - 1, limit)
        self._tell(slot, drafted, len(gained) - 1)
        return StepResult(gained, drafted, len(gained) - 1, self.simple.name if self.simple and drafted else "")

    def _tell(self, slot: Running, drafted: int, kept: int) -> None:
        """The statistics of the drafter, and what its cache holds now."""
        if self.simple is None:
            return
        mirror = self.simple.model.mirror(slot.id)
        known = max(0, len(slot.tokens) - 2)  # the newest but one may be unseen, the newest is
        mirror.tokens[:] = slot.tokens[:known]
        mirror.agreed, mirror.tree = known, ()
        self.simple.model.runner.cache.lengths[slot.id] = known
        if isinstance(self.drafter, FirstOf):
            counters = self.drafter.drafters[0].counters
            if drafted:
                counters.calls_draft += 1
                counters.gen_drafts += 1
                counters.gen_tokens += drafted
                counters.gen_levels += drafted
                counters.kept(kept)


def _only_simple(drafter: Drafter | None) -> Simple | None:
    """draft-simple, if it drafts alone."""
    if isinstance(drafter, FirstOf) and len(drafter.drafters) == 1:
        drafter = drafter.drafters[0]
    if isinstance(drafter, Measured):
        drafter = drafter.drafter
    return drafter if isinstance(drafter, Simple) else None
