"""K-EXAONE: three sliding layers that turn for each full one that does not, experts beside a part for every row."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, Heads, Mixture
from ..network.keys import Keys


class Model(Decoder):
    """Queries and keys are normalised per head; a block for multi-token prediction is left alone."""

    head_norm = "head"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """A window and a rotation, or neither."""
        h = cls.grouped(keys, i)
        window = keys.meta.int("attention.sliding_window")
        return replace(h, window=window) if keys.sliding(4)[i] else replace(h, rope=None)

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The first layers are dense."""
        if keys.leading(i):
            return Dense(keys.widths[i])
        width, routing = keys.expert_width(i), keys.routing("sigmoid", normalize=False)
        shared = keys.meta.int("expert_shared_feed_forward_length", default=0) or width
        return Mixture(keys.n_expert, width, routing, shared=shared)
