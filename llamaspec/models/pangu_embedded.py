"""openPangu Embedded: biases of attention."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder; biases are found in the file."""
