"""MiniMax-M2 (spec/models.md 2, rank 23): part of a head turns, norms over whole queries and keys, experts only."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Mixture
from ..network.keys import Keys


class Model(Decoder):
    """The standard decoder; experts are chosen with a bias."""

    head_norm = "whole"

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Mixture:
        """Weights of the chosen sum to 1."""
        return Mixture(keys.n_expert, keys.widths[i], keys.routing("sigmoid"))
