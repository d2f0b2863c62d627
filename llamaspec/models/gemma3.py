"""Gemma 3 (spec/models.md 2, rank 10): a sandwich of norms, GeGLU, five sliding layers for each full one."""

from dataclasses import replace

from ..layers.rope import Rope
from ..network.hparams import Heads
from ..network.keys import Keys
from ._gemma import Gemma

LAYERS_27B = 62
"""Of the one size whose queries are scaled by D / H instead of the head's width."""


class Model(Gemma):
    """Sliding layers have a rotation of their own, without the scaling that stretches the full ones."""

    head_norm = "head"
    softcap = 0.0

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """A window and a rotation of its own for sliding layers."""
        window = keys.meta.int("attention.sliding_window", default=0)
        scale = (keys.n_embd / keys.heads[i] if keys.n_layer == LAYERS_27B else keys.key) ** -0.5
        full = replace(cls.grouped(keys, i), scale=scale)
        if not window or not keys.sliding(6)[i]:
            return full
        rope = Rope(keys.n_rot, keys.meta.float("rope.freq_base_swa", default=10000.0), cls.interleaved, divided=False)
        return replace(full, window=window, rope=rope)
