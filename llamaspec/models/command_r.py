"""Command-R and Aya (spec/models.md 2, rank 21): parallel blocks, layer norm, no biases."""

from dataclasses import replace
from typing import Literal

from ..network.decoder import Model as Decoder
from ..network.hparams import Heads, HParams
from ..network.keys import Keys
from ..weights.metadata import Metadata

LAYERS_WITH_HEAD_NORMS = 64
"""Models of so many layers normalise queries and keys."""


class Model(Decoder):
    """Logits are scaled; the output is the embedding."""

    interleaved = True
    norm = "layer"
    parallel = True
    ffn_norm = ""

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """logit_scale multiplies."""
        return replace(super().read(meta, n_vocab), logit_scale=meta.float("logit_scale", default=1.0))

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """Norms of queries and keys in the large model only."""
        norm: Literal["", "head"] = "head" if keys.n_layer >= LAYERS_WITH_HEAD_NORMS else ""
        return replace(cls.grouped(keys, i), norm=norm)
