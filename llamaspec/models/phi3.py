"""Phi-3, 3.5, 4 and their mini sizes (spec/models.md 2, rank 13): fused tensors, LongRoPE; the window is ignored."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder. llama.cpp reads all positions although files have a window, and so do we."""
