"""Gemma 1 (spec/models.md 2, rank 28): GeGLU, scaled embeddings that are the output too."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import HParams
from ..weights.metadata import Metadata


class Model(Decoder):
    """The standard decoder; norm weights are stored with 1 added."""

    activation = "gelu"

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """Embeddings are scaled by the root of their width."""
        h = super().read(meta, n_vocab)
        return replace(h, embedding_scale=h.n_embd**0.5)
