"""A step over several slots happens to all of them or to none."""

from collections.abc import Sequence

import numpy as np
import pytest

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.first_of import FirstOf
from llamaspec.engine.slots import Running
from llamaspec.engine.step import Loop
from llamaspec.errors import LlamaspecError
from llamaspec.kernels.protocol import Output
from llamaspec.sampling.chain import Chain
from llamaspec.sampling.params import SamplerParams
from tests.drafting.fakes import Scripted
from tests.drafting.toys import ToyRunner, plain

SLOTS = 3
MEMORY = SamplerParams(temp=0.8, repeat_penalty=1.5, repeat_last_n=8)


class Breaking(ToyRunner):
    """One slot's rows are NaN while `breaks` names it."""

    breaks: int | None = None

    def read(self, slot: int, tokens: Sequence[int], features: Sequence[int] = ()):
        return super().read(slot, tokens)

    def decode(self, branches: Sequence, features: Sequence[int] = ()) -> list[Output]:
        return [
            Output(np.full_like(output.logits, np.nan)) if branch.slot == self.breaks else output
            for branch, output in zip(branches, super().decode(branches), strict=True)
        ]


def running(target: ToyRunner, drafter: FirstOf) -> tuple[Loop, list[Running]]:
    """A loop whose slots have read a prompt each."""
    loop, slots = Loop(target, drafter), []
    for number in range(SLOTS):
        slot = Running(number)
        loop.adopt(slot, [3 + number, 1, 4, 1, 5])
        assert sum(loop.read(slot)) == 4
        slot.start(Chain.build(MEMORY), 7 + number, -1, frozenset())
        loop.begin(slot)
        slots.append(slot)
    return loop, slots


@pytest.mark.parametrize("breaks", range(SLOTS))
def test_a_slot_whose_logits_are_broken_leaves_all_as_they_were(breaks):
    target = Breaking(slots=SLOTS)
    scripted = Scripted("toy")
    loop, slots = running(target, FirstOf([scripted]))
    truth = [plain(target, slot, 3) for slot in slots]
    scripted.answers = {slot.id: Draft.chain(tokens[:2], "toy") for slot, tokens in zip(slots, truth, strict=True)}
    before = [(list(slot.tokens), slot.state, target.cache.lengths[slot.id]) for slot in slots]
    heard = len(scripted.heard)
    target.breaks = breaks
    with pytest.raises(LlamaspecError, match="NaN"):
        loop.step(slots)
    assert [(slot.tokens, slot.state, target.cache.lengths[slot.id]) for slot in slots] == before
    assert {what for what, *_ in scripted.heard[heard:]} == {"propose"}
    target.breaks = None
    for slot, tokens, gain in zip(slots, truth, loop.step(slots), strict=True):
        assert list(gain.tokens) == tokens
        assert gain.kept == 2
        assert slot.tokens[5:] == tokens
        assert target.cache.lengths[slot.id] == 7
