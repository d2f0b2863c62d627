"""Hunyuan dense: queries and keys are normalised behind the rotation, whose base a factor stretches."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Heads, refuse
from ..network.keys import Keys


class Model(Decoder):
    """The standard decoder otherwise."""

    head_norm = "head"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """rope.scaling.alpha is a factor of positions, turned into one of the base (NTK)."""
        h, alpha = cls.grouped(keys, i), keys.meta.float("rope.scaling.alpha", default=0.0)
        assert h.rope is not None
        rope = h.rope
        if alpha > 0:
            if h.key <= 2:
                raise refuse("attention.key_length", h.key, "with rope.scaling.alpha")
            rope = replace(rope, base=rope.base * alpha ** (h.key / (h.key - 2)))
        return replace(h, rope=rope, norm_last=True)
