"""Nemotron-H, Nemotron 3 Nano and Super (spec/models.md 2, rank 30): a block is one of three parts."""

from dataclasses import replace

from ..layers.norm import Norm
from ..network.decoder import Model as Decoder
from ..network.hparams import Attention, Dense, FeedForward, Mixture
from ..network.keys import Keys
from ..network.weights import Weights


class Model(Decoder):
    """Mamba-2, attention without a rotation, or a feed-forward part without a gate; attn_norm stands before each."""

    activation = "relu2"
    gated = False

    @classmethod
    def eps(cls, keys: Keys) -> float:
        """Files may call it that of a layer norm."""
        rms = "attention.layer_norm_rms_epsilon" in keys.meta
        return keys.eps("rms" if rms else "layer")

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Attention:
        """None in blocks that have a feed-forward width."""
        if keys.widths[i]:
            return None
        return replace(cls.grouped(keys, i), rope=None) if keys.kv_heads[i] else keys.mamba()

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """Experts are chosen by a sigmoid with a bias, and may work in a narrower space."""
        if not keys.widths[i]:
            return None
        if not keys.n_expert:
            return Dense(keys.widths[i], cls.activation, cls.gated)
        shared = keys.meta.int("expert_shared_feed_forward_length", default=0)
        return Mixture(
            keys.n_expert,
            keys.expert_width(i, divided=True),
            keys.routing("sigmoid", normalize=False, layer=i),
            cls.activation,
            shared=shared,
            gated=False,
            latent=keys.meta.int("moe_latent_size", default=0),
        )

    def block_norm(self, weights: Weights, i: int, name: str) -> Norm | None:
        """The one norm of a block belongs to the part that it has."""
        part = self.attn_norm if self.hparams.layers[i].feed_forward is None else self.ffn_norm
        return super().block_norm(weights, i, "attn_norm" if name == part else "")
