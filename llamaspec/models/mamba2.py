"""Mamba-2 (spec/models.md 2, rank 30): a state space in every layer, and nothing else."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Mamba
from ..network.keys import Keys


class Model(Decoder):
    """Blocks without a feed-forward part."""

    ffn_norm = ""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Mamba:
        """The same in every layer."""
        return keys.mamba()

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> None:
        """There is none."""
