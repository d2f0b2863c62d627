"""Maincoder: queries and keys are normalised behind the rotation."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Heads
from ..network.keys import Keys


class Model(Decoder):
    """The standard decoder otherwise."""

    interleaved = True
    head_norm = "head"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """All positions."""
        return replace(cls.grouped(keys, i), norm_last=True)
