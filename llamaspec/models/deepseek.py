"""DeepSeek-MoE (spec/models.md 2, rank 26): dense layers, then experts beside a part that every row uses."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, Mixture
from ..network.keys import Keys


class Model(Decoder):
    """The standard decoder."""

    interleaved = True

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """Weights of the chosen are those of the softmax over all."""
        if keys.leading(i):
            return Dense(keys.widths[i])
        routing = keys.routing(normalize=False)
        return Mixture(keys.n_expert, keys.expert_width(i), routing, shared=keys.shared_width(i))
