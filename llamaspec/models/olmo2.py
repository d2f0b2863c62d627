"""OLMo 2 and 3 (spec/models.md 2, rank 18): norms stand behind both parts; those of queries and keys see all heads."""

from dataclasses import replace

from ..layers.rope import Scaling
from ..network.decoder import Model as Decoder
from ..network.hparams import Heads
from ..network.keys import Keys


class Model(Decoder):
    """Three of four layers slide where the file has a window (OLMo 3)."""

    head_norm = "whole"
    attn_norm = ffn_norm = ""
    post_attention_norm, post_ffw_norm = "post_attention_norm", "post_ffw_norm"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """Sliding layers turn without the scaling that stretches the full ones."""
        full, window = cls.grouped(keys, i), keys.meta.int("attention.sliding_window", default=0)
        if not window or not keys.sliding(4)[i] or full.rope is None:
            return full
        return replace(full, window=window, rope=replace(full.rope, scaling=Scaling()))
