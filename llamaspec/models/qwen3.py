"""Qwen3 dense (spec/models.md 2, rank 4): queries and keys are normalised per head before rotation."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder with head norms."""

    head_norm = "head"
