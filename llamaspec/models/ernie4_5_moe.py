"""ERNIE 4.5 with experts: dense layers first, then every n-th layer is a mixture."""

from ..network.hparams import Dense, FeedForward, Mixture
from ..network.keys import Keys
from .ernie4_5 import Model as Ernie


class Model(Ernie):
    """Experts are chosen with a bias; weights of the chosen sum to 1."""

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """A part that every row uses if the file has its width."""
        meta = keys.meta
        if keys.leading(i) or (i + 1) % meta.int("interleave_moe_layer_step", default=1, low=1):
            return Dense(keys.widths[i])
        shared = meta.int("expert_shared_feed_forward_length", default=0)
        return Mixture(keys.n_expert, keys.expert_width(i), keys.routing(), shared=shared)
