"""GPT-2 (spec/models.md 2, rank 28): learnt positions, layer norms, biases, no gate."""

from dataclasses import replace

from ..errors import LlamaspecError
from ..kernels.protocol import Operations, Value
from ..network.decoder import Model as Decoder
from ..network.hparams import Heads, HParams
from ..network.keys import Keys
from ..network.weights import Weights


class Model(Decoder):
    """A row of position_embd is added to each token's."""

    norm = "layer"
    activation = "gelu"
    gated = False

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """Without a rotation."""
        return replace(cls.grouped(keys, i), rope=None)

    def __init__(self, hparams: HParams, weights: Weights, n_ctx: int) -> None:
        learnt = hparams.n_ctx_train
        if n_ctx > learnt:
            raise LlamaspecError(
                f"the model has learnt {learnt:,} positions, the context has {n_ctx:,}", hint=f"use -c {learnt} or less"
            )
        self.positions = weights.beside("token_embd").table("position_embd.weight", learnt, hparams.n_embd)
        super().__init__(hparams, weights, n_ctx)

    def enter(self, ops: Operations) -> Value:
        """-> [N, D]."""
        return ops.add(super().enter(ops), ops.lookup(self.positions, "position"))
