"""Granite 3 and 4, dense and with experts (spec/models.md 2, rank 16): a scale for everything."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import Attention, FeedForward, HParams, Mixture, refuse
from ..network.keys import Keys
from ..weights.metadata import Metadata


class Model(Decoder):
    """Files that say rope.scaling.finetuned = false do not turn at all."""

    interleaved = True

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """logit_scale divides."""
        divisor = meta.float("logit_scale")
        if not divisor:
            raise refuse("logit_scale", divisor)
        embedding, residual = (meta.float(f"{key}_scale", default=0.0) or 1.0 for key in ("embedding", "residual"))
        h = super().read(meta, n_vocab)
        return replace(h, embedding_scale=embedding, residual_scale=residual, logit_scale=1.0 / divisor)

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Attention:
        """attention.scale stands for the root of a head's width."""
        h = cls.grouped(keys, i)
        scale = keys.meta.float("attention.scale", default=0.0) or h.scale
        return replace(h, scale=scale, rope=h.rope if cls.turns(keys) else None)

    @classmethod
    def turns(cls, keys: Keys) -> bool:
        """Whether positions are told apart by a rotation."""
        return keys.meta.bool("rope.scaling.finetuned", default=True)

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """Experts as wide as a dense part, with a part that every row uses if the file has its width."""
        if not keys.n_expert:
            return super().feed_forward(keys, i)
        shared = keys.meta.int("expert_shared_feed_forward_length", default=0)
        return Mixture(keys.n_expert, keys.widths[i], keys.routing(), shared=shared)
