"""StableLM and StableLM 2 (spec/models.md 2, rank 28): layer norms, part of a head turns."""

from dataclasses import replace
from typing import Any

from ..network.decoder import Model as Decoder
from ..network.hparams import Layer
from ..network.weights import Weights


class Model(Decoder):
    """Blocks without a norm before their feed-forward part are parallel; the largest model has norms for every head."""

    norm = "layer"
    head_norm = "if present"

    def block(self, weights: Weights, i: int, layer: Layer, n_ctx: int) -> Any:
        """Block i."""
        return replace(super().block(weights, i, layer, n_ctx), parallel=f"blk.{i}.ffn_norm.weight" not in weights)

    def block_norm(self, weights: Weights, i: int, name: str) -> Any:
        """The norm before the feed-forward part may be absent."""
        absent = name == self.ffn_norm and f"blk.{i}.{name}.weight" not in weights
        return None if absent else super().block_norm(weights, i, name)
