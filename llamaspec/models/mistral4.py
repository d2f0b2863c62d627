"""Mistral 4: DeepSeek's blocks, whose multiplier of YaRN cos and sin share with the scale of scores."""

from dataclasses import replace

from ..layers.rope import Rope
from ..network.keys import Keys
from .deepseek2 import Model as DeepSeek2


class Model(DeepSeek2):
    """As DeepSeek V3 otherwise."""

    @classmethod
    def latent_rope(cls, keys: Keys) -> Rope:
        """Files hold a tenth of the multiplier."""
        rope = keys.rope(cls.interleaved)
        if multiplier := keys.meta.float("rope.scaling.yarn_log_multiplier", default=0.0):
            return replace(rope, scaling=rope.scaling.taken_back(10.0 * multiplier))
        return rope
