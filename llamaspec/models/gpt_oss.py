"""gpt-oss (spec/models.md 2, rank 9): sinks, every other layer slides, experts with biases and a clamped gate."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Heads, Mixture
from ..network.keys import Keys

LIMIT = 7.0
"""Of the gate and, both ways, of what it gates."""


class Model(Decoder):
    """The norm before the feed-forward part is called post_attention_norm."""

    activation = "swiglu_oai"
    ffn_norm = "post_attention_norm"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """Even layers slide."""
        window = keys.meta.int("attention.sliding_window") if keys.sliding(2)[i] else 0
        return replace(cls.grouped(keys, i), window=window, sinks=True)

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Mixture:
        """Weights are a softmax over the chosen."""
        routing = keys.routing("chosen_softmax", normalize=False)
        return Mixture(keys.n_expert, keys.expert_width(i), routing, cls.activation, LIMIT)
