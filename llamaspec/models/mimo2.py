"""MiMo-V2: sliding layers with sinks and a rotation of their own, values narrower than keys, layers with experts."""

from dataclasses import replace
from typing import Any

from ..layers.rope import Rope
from ..network.decoder import Model as Decoder
from ..network.hparams import Attention, Dense, FeedForward, Heads, Mixture
from ..network.keys import Keys
from ..network.weights import Weights


class Model(Decoder):
    """Which layers have sinks, and which have experts, the tensors say."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """The result may be scaled."""
        meta = keys.meta
        full = replace(cls.grouped(keys, i), value_scale=meta.float("attention.value_scale", default=0.0) or 1.0)
        if not keys.sliding(0)[i]:
            return full
        rope = Rope(keys.n_rot, meta.float("rope.freq_base_swa", default=10000.0), cls.interleaved, divided=False)
        return replace(full, window=meta.int("attention.sliding_window"), rope=rope)

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The experts, where a layer has them."""
        if not keys.n_expert:
            return Dense(keys.widths[i])
        return Mixture(keys.n_expert, keys.expert_width(i), keys.routing("sigmoid"), dense_width=keys.widths[i])

    def attention_layer(self, weights: Weights, i: int, h: Attention, n_ctx: int) -> Any:
        """With sinks if there are some."""
        assert isinstance(h, Heads)
        own = replace(h, sinks=f"blk.{i}.attn_sinks.weight" in weights)
        return super().attention_layer(weights, i, own, n_ctx)
