"""DeepSeek V3.2 (spec/models.md 2.8): latent attention to the positions that a lightning indexer chooses."""

from dataclasses import replace

from ..network.hparams import Indexer, Latent
from ..network.keys import Keys
from .mistral4 import Model as Mistral4


class Model(Mistral4):
    """DeepSeek V3 otherwise; YaRN's multiplier is treated as in Mistral 4."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Latent:
        """The indexer reads what queries are made of."""
        meta = keys.meta
        heads, size = meta.int("attention.indexer.head_count"), meta.int("attention.indexer.key_length")
        latent = super().attention(keys, i)
        return replace(latent, indexer=Indexer(heads, size, meta.int("attention.indexer.top_k")))

    @classmethod
    def lite(cls, keys: Keys) -> bool:
        """None is."""
        return False
