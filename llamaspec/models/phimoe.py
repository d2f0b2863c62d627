"""Phi-3.5-MoE (spec/models.md 2, rank 28): Phi-3 with experts and biases."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """Norms are RMS with a bias, as llama.cpp computes them; weights of the chosen experts sum to 1."""
