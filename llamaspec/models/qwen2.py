"""Qwen2, Qwen2.5 and their distillates (spec/models.md 2, rank 3): query, key and value biases, tied or not."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder; the biases are found in the file."""
