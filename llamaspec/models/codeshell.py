"""CodeShell: layer norms and biases everywhere, no gate."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder; biases are found in the file."""

    norm = "layer"
    activation = "gelu"
    gated = False
