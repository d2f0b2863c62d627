"""Llama 2 and 3, Mistral, Mixtral, SmolLM, Yi, TinyLlama and many finetunes (spec/models.md 2, ranks 1 and 2)."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """Everything is the standard decoder's; query and key weights are stored for interleaved rotation."""

    interleaved = True
