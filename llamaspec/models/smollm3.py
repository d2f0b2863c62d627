"""SmolLM3 (spec/models.md 2, rank 22): every fourth layer does not tell positions apart."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Heads
from ..network.keys import Keys

STEP = 4


class Model(Decoder):
    """The standard decoder; the output is the embedding."""

    interleaved = True

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """No rotation in layers 3, 7, ..."""
        h = cls.grouped(keys, i)
        return h if (i + 1) % STEP else replace(h, rope=None)
