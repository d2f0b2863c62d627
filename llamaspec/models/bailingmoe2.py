"""Ling 2 and Ring 2 (BailingMoE 2): dense layers, then groups of experts beside a part that every row uses."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, Mixture
from ..network.keys import Keys


class Model(Decoder):
    """Queries and keys are normalised per head; a block for multi-token prediction is left alone."""

    head_norm = "head"

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The shared part is counted in experts, or in parts of a width of its own."""
        if keys.leading(i):
            return Dense(keys.widths[i])
        one = keys.meta.int("expert_shared_feed_forward_length", default=0) or keys.expert_width(i)
        shared = one * keys.meta.int("expert_shared_count", default=0)
        return Mixture(keys.n_expert, keys.expert_width(i), keys.routing("sigmoid", normalize=False), shared=shared)
