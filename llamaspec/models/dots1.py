"""dots.llm1: dense layers, then experts beside a part that every row uses; all heads have keys of their own."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, Mixture
from ..network.keys import Keys


class Model(Decoder):
    """Queries and keys are normalised per head."""

    head_norm = "head"

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The file says how scores are made of logits."""
        if keys.leading(i):
            return Dense(keys.widths[i])
        routing = keys.routing("sigmoid", normalize=False)
        return Mixture(keys.n_expert, keys.expert_width(i), routing, shared=keys.shared_width(i))
