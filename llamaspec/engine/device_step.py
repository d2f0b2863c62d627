"""One step of generation as a function of tensors: draft, verify, commit and count without asking the host.

The same arithmetic as engine.step.Loop for one sequence, one chain of guesses and samplers without memory. Nothing
here looks at data, so both functions can be captured; on a CPU they run as they are.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..kernels.protocol import KV_BLOCK, Batch, KVIndex
from ..network.runner import PADDING, Runner
from ..sampling.chain import Chain
from ..sampling.sampler import Rows
from .graphs import ReadbackRing, Recorder, Replays, blocks_bucket

SLACK = KV_BLOCK // 2
"""Tokens that the device may write behind the context before the host, one step late, says stop."""
STEPS, DRAFTED, ACCEPTED = range(3)


def signature(chain: Chain) -> str:
    """Equal for chains that do the same: their numbers become constants of what is captured."""
    parts = []
    for sampler in chain.samplers:
        knobs = {name: x.tolist() if isinstance(x, Tensor) else x for name, x in vars(sampler).items()}
        parts.append(f"{sampler.name} {sorted(knobs.items())}")
    return "; ".join(parts)


class Guesser:
    """A draft model on its own device: k tokens in one function.

    passes: the draft model; its cache holds the history's cells, cell = position, behind `k` steps of catching up:
    the first pass evaluates the last two tokens, since a fully accepted draft leaves its last one unseen.
    """

    def __init__(self, passes: Runner, n_vocab: int, k: int, coupled: bool, recorder: Recorder | None) -> None:
        self.passes, self.n_vocab, self.k, self.coupled = passes, n_vocab, k, coupled
        device = passes.model.device
        self.newest = torch.zeros(2, dtype=torch.int64, device=device)
        """The last token but one, and the last."""
        self.length = torch.zeros(1, dtype=torch.int64, device=device)
        """Tokens before the last one."""
        self.seed = torch.zeros((), dtype=torch.int64, device=device)
        self.guesses = torch.zeros(k, dtype=torch.int64, device=device)
        self.replays = Replays(recorder, (self.guesses,))

    def run(self, chain: Chain, longest: int) -> None:
        """Fill `guesses`. longest: a bound on the length, for the number of KV blocks."""
        blocks = blocks_bucket((longest + self.k) // KV_BLOCK + 1, self.passes.cache.cells)
        self.replays((signature(chain), blocks), lambda: self.draft(chain, blocks))

    def draft(self, chain: Chain, blocks: int) -> None:
        """k passes, each for the token that the one before chose."""
        before = (self.length - 1).clamp(min=0)  # an only token is evaluated twice
        tokens = torch.where(self.length > 0, self.newest, self.newest[1:])
        positions, token = torch.cat((before, self.length)), None
        for step in range(self.k):
            row = self._logits(tokens, positions, blocks)
            at = self.length + step
            token = self._choose(chain, row, at + 1)
            self.guesses[step : step + 1] = token
            tokens, positions = token, at + 1

    def _logits(self, tokens: Tensor, positions: Tensor, blocks: int) -> Tensor:
        """tokens, positions [n] -> logits [1, n_vocab] after the last one."""
        slots = torch.zeros_like(positions)
        index = KVIndex(positions, slots, positions, None, blocks)
        last = torch.full((1,), len(tokens) - 1, device=tokens.device)
        known = tokens.clamp(max=self.passes.model.hparams.n_vocab - 1)
        batch = Batch(known, positions, slots, positions, index, last)
        logits = self.passes.model.forward(batch, self.passes.cache).logits
        short = self.n_vocab - logits.shape[-1]
        if short <= 0:
            return logits[:, : self.n_vocab]
        return torch.nn.functional.pad(logits, (0, short), value=float("-inf"))

    def _choose(self, chain: Chain, row: Tensor, position: Tensor) -> Tensor:
        """row [1, V] -> [1]: with the target's chain and noise, or the highest. Broken logits guess token 0."""
        if not self.coupled:
            return row.nan_to_num(nan=-torch.inf).argmax(-1)
        return chain.pick(row, Rows(position, self.seed)).clamp(min=0)


class DeviceStep:
    """The state of one sequence on the target's device, and the step that moves it on.

    history [context + slack]: its tokens by position. length [1]: how many stand before the last one: the committed
    cells. counters [3]: steps, drafted and accepted tokens. letter: what the host reads of a step: error, kept, and
    the k + 1 tokens that were chosen, of which the first kept + 1 count.
    """

    def __init__(self, target: Runner, guesser: Guesser | None, recorder: Recorder | None) -> None:
        self.target, self.guesser = target, guesser
        self.k = guesser.k if guesser is not None else 0
        self.rows = target.width or self.k + 1
        assert self.k < self.rows, "a draft and the token before it are one pass"
        device, cache = target.model.device, target.cache
        self.history = torch.zeros(cache.context + SLACK, dtype=torch.int64, device=device)
        self.length = torch.zeros(1, dtype=torch.int64, device=device)
        self.seed = torch.zeros((), dtype=torch.int64, device=device)
        self.counters = torch.zeros(3, dtype=torch.int64, device=device)
        self.drafted = torch.zeros(self.k, dtype=torch.int64, device=device)
        self.newest = torch.zeros(2, dtype=torch.int64, device=device)
        self.letter = torch.zeros(self.k + 3, dtype=torch.int64, device=device)
        self.offsets = torch.arange(self.rows, device=device)
        self.mailbox = ReadbackRing(self.k + 3, device)
        self.replays = Replays(recorder, (self.history, self.length, self.counters, self.letter))

    def load(self, tokens: Sequence[int], seed: int) -> None:
        """A sequence whose cells, but for the last token's, are in the cache."""
        while self.mailbox.waiting:
            self.mailbox.read()
        self.history[: len(tokens)].copy_(torch.tensor(tokens, dtype=torch.int64))
        self.length.fill_(len(tokens) - 1)
        self.seed.fill_(seed)
        self.counters.zero_()

    def launch(self, chain: Chain, longest: int) -> None:
        """Start a step and post its letter; waits for nothing. longest: a bound on the sequence's length now."""
        guesser = self.guesser
        if guesser is not None:
            self.replays("hand over", self.hand_over)
            guesser.newest.copy_(self.newest, non_blocking=True)
            guesser.length.copy_(self.length, non_blocking=True)
            guesser.seed.copy_(self.seed, non_blocking=True)
            guesser.run(chain, longest)
            self.drafted.copy_(guesser.guesses, non_blocking=True)
        blocks = blocks_bucket((longest + self.k) // KV_BLOCK + 1, self.target.cache.cells)
        self.replays((signature(chain), blocks), lambda: self.verify(chain, blocks))
        self.mailbox.post(self.letter)

    def hand_over(self) -> None:
        """What the draft model needs to know of the sequence."""
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
        self.letter.copy_(torch.cat((error, kept, chosen)))
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
