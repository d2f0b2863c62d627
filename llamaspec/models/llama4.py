"""Llama 4: Scout and Maverick (spec/models.md 2, rank 19): chunks of positions, experts whose input is weighed."""

from dataclasses import replace

from ..kernels.records import Temper
from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, Heads, Mixture
from ..network.keys import Keys

STEP = 4
CHUNK = 8192
"""Positions that a layer with a rotation sees together, and by which queries of the others grow."""
EXPERTS_WITHOUT_NORMS = 128
"""Experts of the one size whose queries and keys are not normalised."""


class Model(Decoder):
    """Three layers that turn and see a chunk, then one that sees everything and does not turn."""

    interleaved = True

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """Files with sliding_window = 0 turn everywhere and see everything."""
        h = cls.grouped(keys, i)
        normed = replace(h, norm="unit", norm_last=True) if keys.n_expert != EXPERTS_WITHOUT_NORMS else h
        if keys.meta.int("attention.sliding_window", default=CHUNK) == 0:
            return normed if (i + 1) % keys.n_layer else replace(h, rope=None)
        if (i + 1) % STEP == 0:
            normed = replace(h, rope=None, temper=Temper(0.1, CHUNK, 1))
        else:
            normed = replace(normed, rope=keys.sliding_rope(h.rope))
        return replace(normed, window=CHUNK, chunked=True) if keys.sliding(STEP)[i] else normed

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """Every n-th layer has experts, with a part as wide as one of them that every row uses."""
        every = keys.meta.int("interleave_moe_layer_step")
        if not every or (i + 1) % every:
            return Dense(keys.widths[i])
        width, routing = keys.expert_width(i), keys.routing("sigmoid", normalize=False)
        return Mixture(keys.n_expert, width, routing, shared=width, weigh_input=True)
