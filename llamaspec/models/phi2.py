"""Phi-2 (spec/models.md 2, rank 28): parallel blocks, layer norms, biases, part of a head turns."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """Both parts read the same normalised rows."""

    norm = "layer"
    activation = "gelu"
    gated = False
    parallel = True
    ffn_norm = ""
