"""One step of generation as a function of tensors: draft, verify, commit and count without asking the host.

The same arithmetic as engine.step.Loop for one sequence, one chain of guesses and samplers without memory. Nothing
here looks at data, so both functions can be captured; on a CPU they run as they are.
"""

from collections.abc import Sequence

import torch

from ...drafting.on_device import DeviceDrafter
from ...kernels.protocol import KV_BLOCK, Batch, KVIndex
from ...network.runner import PADDING, Runner
from ...sampling.chain import Chain
from ...sampling.sampler import Rows
from .graphs import ReadbackRing, Recorder, Replays, blocks_bucket, recorder_for

SLACK = KV_BLOCK // 2
"""Tokens that the device may write behind the context before the host, one step late, says stop."""
STEPS, DRAFTED, ACCEPTED = range(3)


def signature(chain: Chain) -> str:
    """Equal for chains that do the same: their numbers become constants of what is captured."""
    parts = []
    for sampler in chain.samplers:
        knobs = {name: x.tolist() if hasattr(x, "tolist") else x for name, x in vars(sampler).items()}
        parts.append(f"{sampler.name} {sorted(knobs.items())}")
    return "; ".join(parts)


class DeviceStep:
    """The state of one sequence on the target's device, and the step that moves it on.

    history [context + slack]: its tokens by position. length [1]: how many stand before the last one: the committed
    cells. counters [3]: steps, drafted and accepted tokens. result: what the host reads of a step: error, kept, and
    the k + 1 tokens that were chosen, of which the first kept + 1 count.
    """

    def __init__(self, target: Runner, drafter: DeviceDrafter | None, recorder: Recorder | None) -> None:
        self.target, self.drafter = target, drafter
        self.k = drafter.k if drafter is not None else 0
        self.rows = target.width or self.k + 1
        assert self.k < self.rows, "a draft and the token before it are one pass"
        device, cache = torch.device(str(target.model.device)), target.cache
        self.history = torch.zeros(cache.context + SLACK, dtype=torch.int64, device=device)
        self.length = torch.zeros(1, dtype=torch.int64, device=device)
        self.seed = torch.zeros((), dtype=torch.int64, device=device)
        self.counters = torch.zeros(3, dtype=torch.int64, device=device)
        self.drafted = torch.zeros(self.k, dtype=torch.int64, device=device)
        self.newest = torch.zeros(2, dtype=torch.int64, device=device)
        self.result = torch.zeros(self.k + 3, dtype=torch.int64, device=device)
        self.offsets = torch.arange(self.rows, device=device)
        self.readback = ReadbackRing(self.k + 3, device)
        there, guesses = (target.model.device, ()) if drafter is None else (drafter.device, (drafter.guesses,))
        self.drafts = Replays(recorder if there == target.model.device else recorder_for(there), guesses)
        self.replays = Replays(recorder, (self.history, self.length, self.counters, self.result))

    def load(self, tokens: Sequence[int], seed: int) -> None:
        """A sequence whose cells, but for the last token's, are in the cache."""
        while self.readback.waiting:
            self.readback.read()
        self.history[: len(tokens)].copy_(torch.tensor(tokens, dtype=torch.int64))
        self.length.fill_(len(tokens) - 1)
        self.seed.fill_(seed)
        self.counters.zero_()

    def launch(self, chain: Chain, longest: int) -> None:
        """Start a step and enqueue the readback of its result; waits for nothing.

        longest: a bound on the sequence's length now.
        """
        if self.drafter is not None:
            self._draft(self.drafter, chain, longest)
        blocks = blocks_bucket((longest + self.k) // KV_BLOCK + 1, self.target.cache.cells)
        self.replays((signature(chain), blocks), lambda: self.verify(chain, blocks))
        self.readback.enqueue(self.result)

    def _draft(self, drafter: DeviceDrafter, chain: Chain, longest: int) -> None:
        """Fill `drafted`; the drafter may be on another device."""
        self.replays("hand over", self.hand_over)
        drafter.newest.copy_(self.newest, non_blocking=True)
        drafter.length.copy_(self.length, non_blocking=True)
        drafter.seed.copy_(self.seed, non_blocking=True)
        blocks = blocks_bucket((longest + self.k) // KV_BLOCK + 1, drafter.cells)
        self.drafts((signature(chain), blocks), lambda: drafter.draft(chain, blocks))
        self.drafted.copy_(drafter.guesses, non_blocking=True)

    def hand_over(self) -> None:
        """What the drafter needs to know of the sequence."""
        places = torch.cat(((self.length - 1).clamp(min=0), self.length))
        self.newest.copy_(self.history.index_select(0, places))

    def verify(self, chain: Chain, blocks: int) -> None:
        """Evaluate the last token and the draft, choose after every row, keep what agrees, move on."""
        batch = self._batch(blocks)
        logits = self.target.model.forward(batch, self.target.cache).logits
        n = self.k + 1
        chosen = chain.pick(logits[:n], Rows(self.length + 1 + self.offsets[:n], self.seed))
        agree = (chosen[: self.k] == self.drafted).long().cumprod(0)
        kept = agree.sum().view(1)
        error = torch.where(self.offsets[:n] <= kept, chosen, 0).amin().clamp(max=0).view(1)
        self.result.copy_(torch.cat((error, kept, chosen)))
        behind = (self.length + 1 + self.offsets[:n]).clamp(max=len(self.history) - 1)
        self.history.index_copy_(0, behind, chosen.clamp(min=0))
        self.length.add_(kept + 1).clamp_(max=len(self.history) - 1 - n)
        self.counters.add_(torch.cat((torch.ones_like(kept), torch.full_like(kept, self.k), kept)))

    def _batch(self, blocks: int) -> Batch:
        """The last token, the draft, and padding rows that write where nobody reads."""
        last = self.history.index_select(0, self.length)
        padding = self.rows - 1 - self.k
        tokens = torch.nn.functional.pad(torch.cat((last, self.drafted)), (0, padding))
        real = self.offsets <= self.k
        places = self.length + self.offsets
        positions = torch.where(real, places, 0)
        cells = torch.where(real, places, PADDING)
        slots = torch.zeros_like(positions)
        lengths = torch.where(real, self.length, 0)
        return Batch(tokens, positions, slots, cells, KVIndex(positions, slots, lengths, None, blocks), None)
