"""Falcon 7B and 40B (spec/models.md 2, rank 27): parallel blocks, layer norms, no gate."""

from typing import Any

from ..layers.norm import Norm
from ..network.decoder import Model as Decoder
from ..network.weights import Weights


class Model(Decoder):
    """Where a block has two norms, attn_norm_2 is that of attention and attn_norm that of the feed-forward part."""

    norm = "layer"
    activation = "gelu"
    gated = False
    parallel = True

    def block_norm(self, weights: Weights, i: int, name: str) -> Norm | None:
        """attn_norm is shared where there is no other."""
        two = f"blk.{i}.attn_norm_2.weight" in weights
        found: Any = {self.attn_norm: "attn_norm_2" if two else "attn_norm", self.ffn_norm: "attn_norm" if two else ""}
        return super().block_norm(weights, i, found.get(name, name))
