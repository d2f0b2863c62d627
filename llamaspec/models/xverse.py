"""XVERSE."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder; query and key weights are stored for interleaved rotation."""

    interleaved = True
