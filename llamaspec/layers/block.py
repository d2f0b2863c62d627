"""A decoder block as data: which norms stand before and behind its two parts, and whether those run side by side."""

from collections.abc import Callable
from dataclasses import dataclass

from ..kernels.protocol import Operations, Value
from .norm import Norm

Part = Callable[..., Value]
"""x [N, D], the operations, and perhaps a residual [N, D] that is added -> [N, D]."""


@dataclass(frozen=True)
class Block:
    """x += post(attention(norm x)); x += post(feed_forward(norm x)); what a model lacks is None.

    parallel: both parts read the same normalised rows (Command-R), or, with a norm for each, the same rows (Falcon).
    scale: of what both parts add (Granite).
    """

    attention: Part | None
    feed_forward: Part | None
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
            other = self.ffn_norm(x, ops) if self.ffn_norm else normed
            x = self._add(x, self.attention, normed, self.post_attention_norm, ops)
            return self._add(x, self.feed_forward, other, self.post_ffw_norm, ops)
        x = self._add(x, self.attention, normed, self.post_attention_norm, ops)
        if self.feed_forward is None:
            return x
        normed = self.ffn_norm(x, ops) if self.ffn_norm else x
        return self._add(x, self.feed_forward, normed, self.post_ffw_norm, ops)

    def _add(self, x: Value, part: Part | None, normed: Value, post: Norm | None, ops: Operations) -> Value:
        if part is None:
            return x
        if post is None and self.scale == 1.0:
            return part(normed, ops, x)
        y = part(normed, ops)
        y = y if post is None else post(y, ops)
        return ops.add(x, y if self.scale == 1.0 else ops.scale(y, self.scale))
