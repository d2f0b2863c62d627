"""Hunyuan with experts: A13B. A part that every row uses stands beside them."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Heads, Mixture
from ..network.keys import Keys


class Model(Decoder):
    """Queries and keys are normalised behind the rotation."""

    head_norm = "head"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """All positions."""
        return replace(cls.grouped(keys, i), norm_last=True)

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Mixture:
        """Weights of the chosen sum to 1."""
        shared = keys.meta.int("expert_shared_feed_forward_length", default=0) or keys.widths[i]
        return Mixture(keys.n_expert, keys.widths[i], keys.routing(), shared=shared)
