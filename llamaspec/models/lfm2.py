"""LFM2 and LFM2.5 (spec/models.md 2, rank 29): most layers are a short convolution instead of attention."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Attention, ShortConv
from ..network.keys import Keys


class Model(Decoder):
    """Layers without key heads are convolutions; the last norm is called token_embd_norm."""

    head_norm = "head"
    output_norm_name = "token_embd_norm"

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Attention:
        """Attention over a window where the file has one."""
        if not keys.kv_heads[i]:
            return ShortConv(keys.n_embd, keys.meta.int("shortconv.l_cache"))
        return replace(cls.grouped(keys, i), window=keys.meta.int("attention.sliding_window", default=0))
