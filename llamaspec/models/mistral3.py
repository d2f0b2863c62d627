"""Ministral 3, Mistral Small 3.2, Large 3, Devstral 2 (spec/models.md 2, rank 14): YaRN with keys of its own."""

from dataclasses import replace

from ..kernels.records import Temper
from ..network.decoder import Model as Decoder
from ..network.hparams import Heads
from ..network.keys import Keys


class Model(Decoder):
    """The standard decoder, dense or with experts; queries may grow with their position."""

    interleaved = True

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """The multiplier of YaRN takes back what cos and sin grow by."""
        meta, h = keys.meta, cls.grouped(keys, i)
        assert h.rope is not None
        fast = meta.float("rope.scaling.yarn_beta_fast", default=32.0)
        slow = meta.float("rope.scaling.yarn_beta_slow", default=1.0)
        scaling = replace(h.rope.scaling, beta_fast=fast, beta_slow=slow)
        if multiplier := meta.float("rope.scaling.yarn_log_multiplier", default=0.0):
            scaling = scaling.taken_back(multiplier)
        temper = None
        if scale := meta.float("attention.temperature_scale", default=0.0):
            temper = Temper(scale, scaling.original_context)
        return replace(h, rope=replace(h.rope, scaling=scaling), temper=temper)
