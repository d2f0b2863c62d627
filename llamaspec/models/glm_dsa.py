"""GLM-5 (spec/models.md 2.8): DeepSeek V3.2's attention, in which layers may see what an earlier one chose."""

from dataclasses import replace

from ..network.hparams import Dense, FeedForward, Latent, Mixture, refuse
from ..network.keys import Keys
from .deepseek32 import Model as DeepSeek32

OLDER_CONTEXT = 1 << 20
"""Models with a smaller context are GLM-5 or 5.1."""


class Model(DeepSeek32):
    """The indexer turns pairs of neighbours, as the large attention does."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Latent:
        """A layer without an indexer of its own takes the last one's choice."""
        latent, full = super().attention(keys, i), cls.full(keys)
        assert latent.indexer is not None
        source = next((layer for layer in range(i, -1, -1) if full[layer]), None)
        if source is None:
            raise refuse("attention.indexer.types", 0, "in the first layer")
        own = replace(latent.indexer, interleaved=True, source=None if source == i else source)
        return replace(latent, indexer=own)

    @classmethod
    def full(cls, keys: Keys) -> tuple[bool, ...]:
        """Which layers have an indexer: as the file says, else all in GLM-5 and 5.1, some in GLM-5.2."""
        older = keys.meta.int("context_length") < OLDER_CONTEXT
        usual = tuple(int(older or i < 2 or (i - 2) % 4 == 0) for i in range(keys.n_layer))
        return tuple(bool(kind) for kind in keys.meta.ints("attention.indexer.types", keys.n_layer, usual))

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The router is a sigmoid unless the file says otherwise."""
        if keys.leading(i) or not keys.n_expert:
            return Dense(keys.widths[i])
        routing = keys.routing("sigmoid", normalize=False)
        return Mixture(keys.n_expert, keys.expert_width(i), routing, shared=keys.shared_width(i))
