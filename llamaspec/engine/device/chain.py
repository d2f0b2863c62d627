"""The chains of a draft model as a function of fixed shape."""

import torch
from torch import Tensor

from ...drafting.drafter import Slot
from ...drafting.on_device import ChainOnDevice
from ...kernels.protocol import Batch, KVIndex
from ...sampling.chain import Chain
from ...sampling.sampler import Rows


class DeviceChain:
    """k passes of the draft model, each for the token that the one before chose.

    The model's cache holds the history's cells, cell = position. The first pass evaluates the last two tokens, since a
    fully accepted draft leaves its last one unseen.

    newest [2]: the last token but one, and the last. length [1]: tokens before the last one. seed []: of the noise.
    guesses [k]: the result. All are int64 on `device`.
    """

    def __init__(self, wanted: ChainOnDevice) -> None:
        self.name, self.model, self.k, self.coupled = wanted.name, wanted.model, wanted.k, wanted.coupled
        self.runner = self.model.runner
        self.device = torch.device(str(self.runner.model.device))
        self.newest = torch.zeros(2, dtype=torch.int64, device=self.device)
        self.length = torch.zeros(1, dtype=torch.int64, device=self.device)
        self.seed = torch.zeros((), dtype=torch.int64, device=self.device)
        self.guesses = torch.zeros(self.k, dtype=torch.int64, device=self.device)

    @property
    def capacity(self) -> int:
        """Behind it the draft model sees a moving window of the history, which the host moves."""
        return self.model.capacity

    @property
    def cells(self) -> int:
        """Of the draft model's cache."""
        return self.runner.cache.cells

    def enter(self, slot: Slot) -> None:
        """The draft model reads what it has not seen."""
        self.model.follow(slot)

    def draft(self, chain: Chain, blocks: int) -> None:
        """k passes."""
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
        known = tokens.clamp(max=self.model.known - 1)
        batch = Batch(known, positions, slots, positions, index, last)
        return self.model.fit(self.runner.model.forward(batch, self.runner.cache).logits)

    def _choose(self, chain: Chain, row: Tensor, position: Tensor) -> Tensor:
        """row [1, V] -> [1]: with the target's chain and noise, or the highest. Broken logits guess token 0."""
        if not self.coupled:
            return row.nan_to_num(nan=-torch.inf).argmax(-1)
        return chain.pick(row, Rows(position, self.seed)).clamp(min=0)
