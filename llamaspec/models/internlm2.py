"""InternLM 2 (spec/models.md 2, rank 28)."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder; query and key weights are stored for interleaved rotation."""

    interleaved = True
