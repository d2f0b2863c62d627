"""Gemma 3 (spec/models.md 2, rank 10): a sandwich of norms, GeGLU, five sliding layers for each full one."""

from dataclasses import replace

from ..layers.rope import Rope
from ..network.decoder import Model as Decoder
from ..network.hparams import Heads, HParams
from ..network.keys import Keys
from ..weights.metadata import Metadata

LAYERS_27B = 62
"""Of the one size whose queries are scaled by D / H instead of the head's width."""


class Model(Decoder):
    """Sliding layers have a rotation of their own, without the scaling that stretches the full ones."""

    activation = "gelu"
    head_norm = "head"
    post_attention_norm, post_ffw_norm = "post_attention_norm", "post_ffw_norm"

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """Embeddings are scaled by the root of their width."""
        h = super().read(meta, n_vocab)
        softcap = meta.float("final_logit_softcapping", default=0.0)
        return replace(h, embedding_scale=h.n_embd**0.5, logit_softcap=softcap)

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """A window and a rotation of its own for sliding layers."""
        window = keys.meta.int("attention.sliding_window", default=0)
        scale = (keys.n_embd / keys.heads[i] if keys.n_layer == LAYERS_27B else keys.key) ** -0.5
        full = replace(cls.grouped(keys, i), scale=scale)
        if not window or not keys.sliding(6)[i]:
            return full
        rope = Rope(keys.n_rot, keys.meta.float("rope.freq_base_swa", default=10000.0), cls.interleaved, divided=False)
        return replace(full, window=window, rope=rope)
