"""Gemma 2 (spec/models.md 2, rank 11): a sandwich of norms, two soft caps, every other layer slides."""

from dataclasses import replace

from ..network.hparams import Heads
from ..network.keys import Keys
from ._gemma import Gemma

LAYERS_27B = 46
"""Of the one size whose queries are scaled by D / H instead of the head's width."""


class Model(Gemma):
    """The output is the embedding; all layers turn alike unless the file has a base for sliding ones."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """Even layers slide."""
        meta, full = keys.meta, cls.grouped(keys, i)
        scale = (keys.n_embd // keys.heads[i] if keys.n_layer == LAYERS_27B else keys.key) ** -0.5
        full = replace(full, scale=scale, softcap=meta.float("attn_logit_softcapping", default=50.0))
        if not keys.sliding(2)[i]:
            return full
        window = meta.int("attention.sliding_window", default=4096)
        return replace(full, window=window, rope=keys.sliding_rope(full.rope))
