"""Qwen3.5 dense (spec/models.md 2.3): three gated delta nets for each layer of gated attention."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Attention, DeltaNet, refuse
from ..network.keys import Keys


class Model(Decoder):
    """The norm before the feed-forward part is called post_attention_norm."""

    sections = "woven"
    head_norm = "head"
    ffn_norm = "post_attention_norm"
    tiled = True
    """How value heads share key heads: i mod n, or in groups."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Attention:
        """Full attention with a gate for its result, or a delta net."""
        if not cls.recurrent(keys)[i]:
            return replace(cls.grouped(keys, i), gated=True)
        meta = keys.meta
        heads, size = meta.int("ssm.time_step_rank"), meta.int("ssm.state_size")
        inner = meta.int("ssm.inner_size")
        if inner != heads * size:
            raise refuse("ssm.inner_size", inner, f"with {heads} heads of {size}")
        return DeltaNet(heads, meta.int("ssm.group_count"), size, meta.int("ssm.conv_kernel"), cls.tiled)

    @classmethod
    def recurrent(cls, keys: Keys) -> tuple[bool, ...]:
        """Whether each block is a delta net."""
        if "attention.recurrent_layers" in keys.meta:
            return keys.meta.bools("attention.recurrent_layers", keys.blocks)
        every = keys.meta.int("full_attention_interval", default=4, low=1)
        return tuple((i + 1) % every != 0 for i in range(keys.blocks))
