"""EXAONE 4 (spec/models.md 2, rank 25): norms stand behind both parts; in the large model only sliding layers turn."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Heads
from ..network.keys import Keys

LAYERS_32B = 64
"""Of the one size that has sliding layers."""


class Model(Decoder):
    """Queries and keys are normalised per head."""

    head_norm = "head"
    attn_norm = ffn_norm = ""
    post_attention_norm, post_ffw_norm = "post_attention_norm", "post_ffw_norm"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """Three of four layers slide and turn, the fourth does neither."""
        h = cls.grouped(keys, i)
        if keys.n_layer != LAYERS_32B:
            return h
        window = keys.meta.int("attention.sliding_window", default=4096)
        return replace(h, window=window) if keys.sliding(4)[i] else replace(h, rope=None)
