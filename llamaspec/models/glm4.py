"""GLM-4-0414, GLM-Z1 (spec/models.md 2, rank 15): a sandwich of norms, half of a head turns."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Heads
from ..network.keys import Keys


class Model(Decoder):
    """Files of models that see images have sections of the rotation, and pairs that lie half a rotation apart."""

    interleaved = True
    sections = "apart"
    post_attention_norm, post_ffw_norm = "post_attention_norm", "post_ffw_norm"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """All positions."""
        return replace(cls.grouped(keys, i), rope=keys.rope(not keys.sections, cls.sections))
