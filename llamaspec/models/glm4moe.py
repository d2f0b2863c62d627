"""GLM-4.5, 4.5-Air, 4.6, 4.7 (spec/models.md 2, rank 7): dense layers, then experts chosen by a sigmoid with a bias."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, Mixture
from ..network.keys import Keys


class Model(Decoder):
    """The norm before the feed-forward part is called post_attention_norm; only the largest model has head norms."""

    sections = "apart"
    head_norm = "if present"
    ffn_norm = "post_attention_norm"

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The first layers are dense; the others have a shared part beside their experts."""
        if keys.leading(i):
            return Dense(keys.widths[i])
        width = keys.expert_width(i, divided=True)
        routing = keys.routing("sigmoid", normalize=False)
        return Mixture(keys.n_expert, width, routing, shared=keys.shared_width(i, divided=True))
