"""Nemotron and Minitron: layer norms, squared ReLU without a gate, part of a head turns."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder; biases are found in the file."""

    norm = "layer"
    activation = "relu2"
    gated = False
