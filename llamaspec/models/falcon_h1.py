"""Falcon-H1 (spec/models.md 2, rank 30): attention and Mamba-2 side by side in every layer."""

from dataclasses import dataclass
from typing import Any

from ..kernels.protocol import Operations, Value
from ..network import attention as attentions
from ..network.decoder import Model as Decoder
from ..network.hparams import Attention, Both
from ..network.keys import Keys
from ..network.weights import Weights


class Model(Decoder):
    """The states of layer i are in store n_layer + i. Files call the second norm blk.N.ffn_norm, without .weight."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Both:
        """The same in every layer."""
        return Both(cls.grouped(keys, i), keys.mamba())

    def attention_layer(self, weights: Weights, i: int, h: Attention, n_ctx: int) -> Any:
        """Both parts."""
        assert isinstance(h, Both)
        attention = super().attention_layer(weights, i, h.heads, n_ctx)
        store = self.hparams.n_layer + i
        return SideBySide(attention, attentions.mamba(weights, f"blk.{i}", self.hparams.n_embd, h.mamba, store))

    def block_norm(self, weights: Weights, i: int, name: str) -> Any:
        """Under either name."""
        if not name:
            return None
        bare = f"blk.{i}.{name}"
        return weights.norm(bare, self.hparams.n_embd, self.norm, "" if bare in weights else ".weight")


@dataclass(frozen=True)
class SideBySide:
    """x -> attention of x + states of x."""

    attention: Any
    mamba: Any

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> residual + both results [N, D]."""
        return self.mamba(x, ops, self.attention(x, ops, residual))
