"""OLMoE: norms over whole queries and keys, experts only."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Mixture
from ..network.keys import Keys


class Model(Decoder):
    """The standard decoder otherwise."""

    head_norm = "whole"

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Mixture:
        """Weights of the chosen are those of the softmax over all."""
        return Mixture(keys.n_expert, keys.widths[i], keys.routing(normalize=False))
