"""LFM2 with experts (spec/models.md 2, rank 29): 8B-A1B, 24B-A2B."""

from ..network.hparams import Dense, FeedForward, Mixture
from ..network.keys import Keys
from .lfm2 import Model as Lfm2


class Model(Lfm2):
    """The first layers are dense."""

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """Weights of the chosen sum to 1."""
        if keys.leading(i):
            return Dense(keys.widths[i])
        return Mixture(keys.n_expert, keys.expert_width(i), keys.routing("sigmoid"))
