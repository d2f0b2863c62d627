"""THE LOOP: one step of generation. Plain decoding is speculation with an empty draft."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..arrays import Array
from ..drafting.draft import Draft, Verdict
from ..drafting.drafter import Kept, Slot
from ..drafting.first_of import FirstOf
from ..drafting.verify import verify
from ..errors import LlamaspecError
from ..kernels.protocol import Output
from ..network.runner import Branch, Runner
from ..sampling import rank
from .slots import Running, common_prefix

Judge = Callable[[Draft, Array, Slot, Collection[int]], tuple[Verdict, Any]]
"""`drafting.verify.verify`, or `drafting.synthetic.Synthetic` in a benchmark."""


@dataclass(frozen=True)
class StepResult:
    """What one step gave a slot. The first `kept` tokens stood in the draft of `by`, the last one did not."""

    tokens: tuple[int, ...]
    drafted: int
    kept: int
    by: str


class Loop:
    """A target, and whoever guesses for it. `drafter` None = plain decoding. judge: decides about drafts."""

    def __init__(self, target: Runner, drafter: FirstOf | None, judge: Judge = verify) -> None:
        self.target, self.drafter, self.judge = target, drafter, judge
        self.features = () if drafter is None else tuple(drafter.features)

    def adopt(self, slot: Running, prompt: Sequence[int]) -> int:
        """Make the prompt the slot's tokens -> how many leading ones need no evaluation: the cache holds them.

        Raises LlamaspecError if the prompt does not fit.
        """
        cache = self.target.cache
        if not prompt:
            raise LlamaspecError("the prompt is empty", hint="give some text with -p; this model has no BOS token")
        if len(prompt) > cache.context:
            raise LlamaspecError(
                f"the prompt has {len(prompt)} tokens but the context is {cache.context}",
                hint=f"raise it with -c {len(prompt) + 512} or more, or shorten the prompt",
            )
        shared = common_prefix(slot.tokens[: cache.lengths[slot.id]], prompt)
        slot.tokens = list(prompt)
        return cache.truncate(slot.id, min(shared, len(prompt) - 1))

    def read(self, slot: Running) -> Iterator[int]:
        """Evaluate what the cache lacks of slot.tokens but the last one; yields the size of each chunk that is done."""
        done = self.target.cache.lengths[slot.id]
        for size, output in self.target.read(slot.id, slot.tokens[done:-1], self.features):
            if self.drafter is not None:
                self.drafter.observe(slot, Kept(slot.tokens[done : done + size], output.features or None))
            done += size
            yield size

    def begin(self, slot: Running) -> None:
        """The prompt is evaluated but for its last token."""
        if self.drafter is not None:
            self.drafter.begin(slot)

    def step(self, slots: Sequence[Running]) -> list[StepResult]:
        """One pass of the target over every slot's last token and draft. Each slot grows by at least one token."""
        drafts = self.propose(slots)
        branches = [
            Branch(slot.id, (slot.tokens[-1], *draft.tokens), draft.parents)
            for slot, draft in zip(slots, drafts, strict=True)
        ]
        outputs = self.target.decode(branches, self.features)
        verdicts = [  # all of them before anything is kept: an error leaves every slot as it was
            self.judge(draft, output.logits, slot, slot.ends)
            for slot, draft, output in zip(slots, drafts, outputs, strict=True)
        ]
        return [self.settle(*part) for part in zip(slots, drafts, outputs, verdicts, strict=True)]

    def cut(self, slot: Running, length: int) -> None:
        """Drop what was generated behind the end of an answer. `adopt` finds out what the cache has kept."""
        if length < len(slot.tokens):
            del slot.tokens[length:]
            self.target.cache.truncate(slot.id, length - 1)

    def ready(self, slot: Running) -> bool:
        """Whether a step may follow: the cache holds all tokens but the last, and has room for that one."""
        return self.target.cache.lengths[slot.id] == len(slot.tokens) - 1 < self.target.cache.context

    def plain(self, slot: Running) -> None:
        """What a plain step costs: evaluate the last token and choose, keeping nothing."""
        output = self.target.decode([Branch(slot.id, slot.tokens[-1:])])[0]
        verify(Draft(), output.logits, slot, slot.ends)

    def propose(self, slots: Sequence[Running]) -> list[Draft]:
        """A draft per slot, empty where there is no drafter, no room or no draft; no longer than the cache can take."""
        drafts = {slot.id: Draft() for slot in slots}
        asking, cache = [], self.target.cache
        for slot in slots:
            slot.limit = min(slot.room(cache.context), cache.draft_rows - 1)
            if slot.limit > 0:
                asking.append(slot)
        if self.drafter is not None and asking:
            for slot, draft in zip(asking, self.drafter.propose(asking), strict=True):
                drafts[slot.id] = draft.cut(slot.limit)
        return [drafts[slot.id] for slot in slots]

    def settle(self, slot: Running, draft: Draft, output: Output, judged: tuple[Verdict, Any]) -> StepResult:
        """Keep what the target agrees with, tell the drafter, and let the slot grow."""
        verdict, slot.state = judged
        rows = (0, *(node + 1 for node in verdict.kept))
        self.target.cache.commit(slot.id, rows)
        if self.drafter is not None:
            kept_tokens = (slot.tokens[-1], *verdict.tokens[: len(verdict.kept)])
            self.drafter.observe(slot, self.kept(kept_tokens, rows, output))
            if draft.tokens:
                self.drafter.accept(slot, len(verdict.kept), mine=True)
        slot.tokens.extend(verdict.tokens)
        return StepResult(verdict.tokens, len(draft), len(verdict.kept), draft.by)

    def kept(self, tokens: Sequence[int], rows: Sequence[int], output: Output) -> Kept:
        """The rows that survived, with what the drafter asked to see of them."""
        assert self.drafter is not None
        index = list(rows)
        features = {layer: values[index] for layer, values in output.features.items()}
        top = rank.columns(output.logits[index], None, self.drafter.top) if self.drafter.top else None
        return Kept(tokens, features or None, top)


def loop_for(target: Runner, drafter: FirstOf | None, judge: Judge = verify) -> Loop:
    """The loop that suits where the target is."""
    if target.model.device.is_host or judge is not verify:
        return Loop(target, drafter, judge)
    from .device.graphs import recorder_for  # torch's
    from .device.loop import DeviceLoop

    return DeviceLoop(target, drafter, recorder_for(target.model.device))
