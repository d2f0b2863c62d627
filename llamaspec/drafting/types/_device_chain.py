"""The chains of draft-simple as a function of fixed shape."""

import numpy as np

from ...arrays import Array, namespace
from ...kernels.protocol import Batch, KVIndex
from ...sampling import rank
from ...sampling.chain import Chain
from ...sampling.sampler import Rows
from ..draft_model import DraftModel
from ..drafter import Slot
from ._model_draft import without_nan


class DeviceChain:
    """k passes of the draft model, each for the token that the one before chose (drafting.on_device.DeviceDrafter).

    The model's cache holds the history's cells, cell = position. The first pass evaluates the last two tokens, since a
    fully accepted draft leaves its last one unseen.
    """

    def __init__(self, name: str, model: DraftModel, k: int, coupled: bool) -> None:
        self.name, self.model, self.k, self.coupled = name, model, k, coupled
        self.runner = model.runner
        self.device = model.runner.model.device
        here = model.runner.model.kernels.here
        self.newest, self.length = here(np.zeros(2, np.int64)), here(np.zeros(1, np.int64))
        self.seed, self.guesses = here(np.zeros((), np.int64)), here(np.zeros(k, np.int64))

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
        xp = namespace(self.length)
        before = xp.clip(self.length - 1, 0, None)  # an only token is evaluated twice
        tokens = xp.where(self.length > 0, self.newest, self.newest[1:])
        positions = xp.concat([before, self.length])
        for step in range(self.k):
            row = self._logits(tokens, positions, blocks)
            at = self.length + step
            token = self._choose(chain, row, at + 1)
            self.guesses[step : step + 1] = token
            tokens, positions = token, at + 1

    def _logits(self, tokens: Array, positions: Array, blocks: int) -> Array:
        """tokens, positions [n] -> logits [1, n_vocab] after the last one."""
        xp = namespace(tokens)
        slots = xp.zeros_like(positions)
        index = KVIndex(positions, slots, positions, None, blocks)
        last = xp.full((1,), len(tokens) - 1, dtype=xp.int64, device=tokens.device)
        known = xp.clip(tokens, None, self.model.known - 1)
        batch = Batch(known, positions, slots, positions, index, last)
        return self.model.fit(self.runner.model.forward(batch, self.runner.cache).logits)

    def _choose(self, chain: Chain, row: Array, position: Array) -> Array:
        """row [1, V] -> [1]: with the target's chain and noise, or the highest. Broken logits guess token 0."""
        if not self.coupled:
            return rank.first(without_nan(row))
        return namespace(row).clip(chain.pick(row, Rows(position, self.seed)), 0, None)
