"""Arcee AFM 4.5B: Llama with squared ReLU and no gate."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder; query and key weights are stored for interleaved rotation."""

    interleaved = True
    activation = "relu2"
    gated = False
