"""A decoder block as data: which norms stand before and behind its two parts, and whether those run side by side."""

from dataclasses import dataclass

from ..kernels.protocol import Operations, Value
from .attention import Attention
from .delta_net import GatedDeltaNet
from .latent import LatentAttention
from .mlp import MLP
from .moe import MoE
from .norm import Norm


@dataclass(frozen=True)
class Block:
    """x += post(attention(norm x)); x += post(feed_forward(norm x)); norms that a model lacks are None.

    parallel: both parts read the same normalised rows (Command-R, Falcon). scale: of what both parts add (Granite).
    """

    attention: Attention | LatentAttention | GatedDeltaNet
    feed_forward: MLP | MoE
    attn_norm: Norm | None
    ffn_norm: Norm | None
    post_attention_norm: Norm | None = None
    post_ffw_norm: Norm | None = None
    parallel: bool = False
    scale: float = 1.0

    def __call__(self, x: Value, ops: Operations) -> Value:
        """x [N, D] -> [N, D]."""
        normed = self.attn_norm(x, ops) if self.attn_norm else x
        if self.parallel:
            return self.feed_forward(normed, ops, self.attention(normed, ops, x))
        x = self._add(x, self.attention, normed, self.post_attention_norm, ops)
        normed = self.ffn_norm(x, ops) if self.ffn_norm else x
        return self._add(x, self.feed_forward, normed, self.post_ffw_norm, ops)

    def _add(
        self,
        x: Value,
        part: Attention | LatentAttention | GatedDeltaNet | MLP | MoE,
        normed: Value,
        post: Norm | None,
        ops: Operations,
    ) -> Value:
        if post is None and self.scale == 1.0:
            return part(normed, ops, x)
        y = part(normed, ops)
        y = y if post is None else post(y, ops)
        return ops.add(x, y if self.scale == 1.0 else ops.scale(y, self.scale))
