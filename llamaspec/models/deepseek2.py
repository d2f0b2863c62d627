"""DeepSeek V2, V3, R1, Kimi K2, GLM-4.7-Flash (spec/models.md 2.1): latent attention, grouped routing."""

from dataclasses import replace
from math import log

from ..kernels.records import Gating, Temper
from ..layers.rope import Rope
from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, Latent, Mixture, refuse
from ..network.keys import Keys

LITE = ((26, 0), (27, 0), (48, 128256))
"""Layers and vocabulary (0: any) of models whose queries have one projection, whatever their keys say."""
SIGMOID = ((47, 154880), (48, 154880))
"""Layers and vocabulary of models whose router is a sigmoid although no key says so."""


class Model(Decoder):
    """Both layouts of the file: separate stacks of k_b and v_b, or kv_b in one."""

    interleaved = True

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Latent:
        """The rotation applies to the last `rope` values of a head."""
        meta, rope = keys.meta, cls.latent_rope(keys)
        wide = meta.int("attention.key_length_mla", default=0) or keys.key
        value = meta.int("attention.value_length_mla", default=0) or keys.value
        if wide <= rope.width:
            raise refuse("attention.key_length_mla", wide, f"with a rotation of {rope.width}")
        grown = 1.0 + meta.float("rope.scaling.yarn_log_multiplier", default=0.0) * log(rope.scaling.factor)
        q_rank = 0 if cls.lite(keys) else meta.int("attention.q_lora_rank", default=0)
        c, temper = meta.int("attention.kv_lora_rank"), None
        if scale := meta.float("attention.temperature_scale", default=0.0):
            temper = Temper(scale, meta.int("attention.temperature_length", default=0))
        scale = (rope.amplitude * grown) ** 2 * wide**-0.5
        return Latent(keys.heads[i], q_rank, c, wide - rope.width, value, scale, rope, temper)

    @classmethod
    def latent_rope(cls, keys: Keys) -> Rope:
        """The stretch of YaRN stands in the scale of scores, not in cos and sin, where the file has a multiplier."""
        rope = keys.rope(cls.interleaved)
        if keys.meta.float("rope.scaling.yarn_log_multiplier", default=0.0):
            return replace(rope, scaling=replace(rope.scaling, amplitude=1.0))
        return rope

    @classmethod
    def lite(cls, keys: Keys) -> bool:
        """Whether queries have one projection, whatever their keys say."""
        return like(keys, LITE)

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """The first layers are dense."""
        if keys.leading(i) or not keys.n_expert:
            return Dense(keys.widths[i])
        gating: Gating = "sigmoid" if like(keys, SIGMOID) else "softmax"
        routing = keys.routing(gating, normalize=False)
        return Mixture(keys.n_expert, keys.expert_width(i), routing, shared=keys.shared_width(i))


def like(keys: Keys, models: tuple[tuple[int, int], ...]) -> bool:
    """Whether the model has the layers and the vocabulary of one of these."""
    tokens = keys.meta.get("tokenizer.ggml.tokens")
    n_vocab = len(tokens) if hasattr(tokens, "__len__") else 0  # type: ignore[arg-type]
    return any(keys.n_layer == layers and vocabulary in (0, n_vocab) for layers, vocabulary in models)
