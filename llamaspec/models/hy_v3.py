"""Hunyuan V3: dense layers, then experts chosen by a sigmoid with a bias, beside a part that every row uses."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, Mixture
from ..network.keys import Keys


class Model(Decoder):
    """Queries and keys are normalised per head; which layers have experts, the tensors say."""

    head_norm = "head"

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The file says whether weights of the chosen sum to 1."""
        if not keys.n_expert:
            return Dense(keys.widths[i])
        width, routing = keys.expert_width(i, divided=True), keys.routing("sigmoid", normalize=False)
        shared = keys.meta.int("expert_shared_feed_forward_length", default=0) or width
        return Mixture(keys.n_expert, width, routing, shared=shared, dense_width=keys.widths[i])
