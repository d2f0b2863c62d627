"""Orion: layer norms with biases."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder otherwise."""

    norm = "layer"
