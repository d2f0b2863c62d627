"""Qwen 1: one tensor for queries, keys and values, with biases."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Dense
from ..network.keys import Keys


class Model(Decoder):
    """The standard decoder otherwise."""

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Dense:
        """Files count gate and up together."""
        return Dense(keys.widths[i] // 2)
