"""ChatGLM 3 and GLM-4-9B: fused tensors, part of a head turns."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder."""

    interleaved = True
