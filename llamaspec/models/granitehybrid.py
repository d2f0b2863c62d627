"""Granite 4 H (spec/models.md 2, rank 30): Mamba-2 in most layers, attention in some, Granite's scales."""

from ..network.hparams import Attention, HParams
from ..network.keys import Keys
from ..weights.metadata import Metadata
from .granite import Model as Granite


class Model(Granite):
    """Layers without key heads are Mamba-2; a file may lack the scale of logits."""

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """As Granite."""
        if "logit_scale" not in meta:
            meta = meta.with_overrides([(f"{meta.architecture}.logit_scale", 1.0)])
        return super().read(meta, n_vocab)

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Attention:
        """Either."""
        return super().attention(keys, i) if keys.kv_heads[i] else keys.mamba()
