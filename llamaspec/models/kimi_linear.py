"""Kimi Linear: three delta nets for each layer of latent attention, which does not turn; experts chosen with a bias."""

from ..layers.rope import Rope
from ..network.decoder import Model as Decoder
from ..network.hparams import Attention, DeltaNet, Dense, FeedForward, Latent, Mixture, refuse
from ..network.keys import Keys


class Model(Decoder):
    """Layers without key heads are delta nets."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Attention:
        """Either."""
        meta, heads = keys.meta, keys.heads[i]
        if not keys.kv_heads[i]:
            size = meta.int("kda.head_dim")
            return DeltaNet(heads, heads, size, meta.int("ssm.conv_kernel"), tiled=False, by_channel=True)
        wide, value = meta.int("attention.key_length_mla"), meta.int("attention.value_length_mla")
        if wide <= keys.n_rot:
            raise refuse("attention.key_length_mla", wide, f"with a rotation of {keys.n_rot}")
        c, rope = meta.int("attention.kv_lora_rank"), Rope(keys.n_rot, 10000.0)
        return Latent(heads, 0, c, wide - keys.n_rot, value, wide**-0.5, rope, turns=False)

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The first layers are dense; weights of the chosen sum to 1."""
        if keys.leading(i):
            return Dense(keys.widths[i])
        shared = keys.expert_width(i) * max(1, keys.meta.int("expert_shared_count", default=1))
        return Mixture(keys.n_expert, keys.expert_width(i), keys.routing("sigmoid"), shared=shared)
