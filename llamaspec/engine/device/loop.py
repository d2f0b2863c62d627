"""The loop for a device: steps run one ahead of the host, which reads each of them once and late."""

from collections.abc import Sequence

import torch

from ...drafting.first_of import FirstOf
from ...network.runner import Runner
from ..slots import Running
from ..step import Loop, StepResult
from .graphs import Recorder
from .step import SLACK, DeviceStep

AHEAD = 2
"""Steps under way while the host reads the oldest."""


class DeviceLoop(Loop):
    """Loop, but one sequence with a stateless chain, plain or with drafts of a fixed length, stays on the device.

    Everything else walks as Loop does, with the same tokens: stateful samplers and grammars, drafters that read
    tokens on the host, trees, several sequences, the end of the context.
    """

    def __init__(self, target: Runner, drafter: FirstOf | None, recorder: Recorder | None = None) -> None:
        super().__init__(target, drafter)
        cache = target.cache
        self.device_drafter = drafter.on_device(target.width, cache.context) if drafter is not None else None
        # Steps run ahead of `commit`: every row must stay in a cell of its own, as it does not in windows and states.
        by_cell = cache.draft_rows >= cache.context
        possible = by_cell and (drafter is None or self.device_drafter is not None)
        self.device_step = DeviceStep(target, self.device_drafter, recorder) if possible else None
        self.expected: tuple[int, int] | None = None
        """(slot, its number of tokens) that the steps under way continue; None = nothing is under way."""

    def begin(self, slot: Running) -> None:
        """As Loop.begin; steps that are still under way belong to nobody."""
        self.expected = None
        super().begin(slot)

    def suits(self, slots: Sequence[Running]) -> bool:
        """Whether the device can go on by itself."""
        slot, cache = slots[0], self.target.cache
        if len(slots) > 1 or len(cache.lengths) > 1 or self.device_step is None or slot.chain is None:
            return False
        drafter = self.device_drafter
        fits = drafter is None or len(slot.tokens) + SLACK <= drafter.capacity
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
        while device.readback.waiting < AHEAD:
            device.launch(slot.chain, longest + device.readback.waiting * (device.k + 1))
        return [self._settle(slot, device.readback.read())]

    def _enter(self, slot: Running) -> None:
        """Put the sequence on the device."""
        assert self.device_step is not None
        if self.device_drafter is not None:
            self.device_drafter.enter(slot)
        self.device_step.load(slot.tokens, slot.seed)

    def _settle(self, slot: Running, result: list[int]) -> StepResult:
        """What one step gave, cut to what Loop would have given."""
        assert slot.chain is not None
        error, kept, *chosen = result
        if error < 0:
            self.expected = None
            slot.chain.check(torch.tensor([error]))
        limit = max(0, slot.room(self.target.cache.context))
        tokens = chosen[: min(kept, limit) + 1]
        end = next((at for at, token in enumerate(tokens) if token in slot.ends), len(tokens) - 1)
        gained = tuple(tokens[: end + 1])
        slot.tokens.extend(gained)
        self.target.cache.commit(slot.id, range(len(gained)))
        self.expected = (slot.id, len(slot.tokens)) if len(gained) == kept + 1 else None
        drafted = min(len(chosen) - 1, limit)
        if self.drafter is not None:
            self.drafter.drafted_on_device(slot, drafted, len(gained) - 1)
        by = self.device_drafter.name if self.device_drafter is not None and drafted else ""
        return StepResult(gained, drafted, len(gained) - 1, by)
