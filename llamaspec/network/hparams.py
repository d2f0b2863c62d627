"""The numbers that describe a network, read from metadata and checked before anything is built."""

from dataclasses import dataclass

from ..errors import LlamaspecError
from ..layers.rope import Scaling
from ..weights.metadata import Metadata


@dataclass(frozen=True)
class HParams:
    """Names as in llama.cpp. n_layer: executed layers, without MTP blocks. n_rot: rotated values per head."""

    architecture: str
    n_vocab: int
    n_layer: int
    n_embd: int
    n_ff: int
    n_head: int
    n_head_kv: int
    head_k: int
    head_v: int
    n_rot: int
    eps: float
    rope_base: float
    scaling: Scaling
    n_ctx_train: int
    n_expert: int = 0
    n_expert_used: int = 0

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> "HParams":
        """From `{architecture}.*` keys (spec/models.md 1.1). Raises LlamaspecError for what no network can have."""
        n_embd = meta.int("embedding_length")
        n_head = meta.int("attention.head_count")
        head_k = meta.int("attention.key_length", default=n_embd // max(n_head, 1))
        block_count = meta.int("block_count")
        n_expert = meta.int("expert_count", default=0)
        found = cls(
            architecture=meta.architecture,
            n_vocab=n_vocab,
            n_layer=block_count - meta.int("nextn_predict_layers", default=0),
            n_embd=n_embd,
            n_ff=meta.int("feed_forward_length"),
            n_head=n_head,
            n_head_kv=meta.int("attention.head_count_kv", default=n_head),
            head_k=head_k,
            head_v=meta.int("attention.value_length", default=n_embd // max(n_head, 1)),
            n_rot=meta.int("rope.dimension_count", default=head_k),
            eps=meta.float("attention.layer_norm_rms_epsilon"),
            rope_base=meta.float("rope.freq_base", default=10000.0),
            scaling=_scaling(meta),
            n_ctx_train=meta.int("context_length"),
            n_expert=n_expert,
            n_expert_used=meta.int("expert_used_count", default=0) if n_expert else 0,
        )
        found.check()
        return found

    def check(self) -> None:
        """Numbers that would divide by zero, loop for ever or build nothing."""
        broken = [
            (self.n_layer < 1, f"block_count {self.n_layer}"),
            (self.n_embd < 1, f"embedding_length {self.n_embd}"),
            (self.n_ff < 1, f"feed_forward_length {self.n_ff}"),
            (self.n_head < 1, f"attention.head_count {self.n_head}"),
            (self.n_head_kv < 1 or self.n_head % self.n_head_kv != 0, f"attention.head_count_kv {self.n_head_kv}"),
            (self.head_k < 2 or self.head_v < 1, f"attention.key_length {self.head_k}"),
            (not 2 <= self.n_rot <= self.head_k or self.n_rot % 2 != 0, f"rope.dimension_count {self.n_rot}"),
            (not 0 <= self.eps < 1, f"attention.layer_norm_rms_epsilon {self.eps}"),
            (not 1 <= self.rope_base < 1e12, f"rope.freq_base {self.rope_base}"),
            (self.n_ctx_train < 1, f"context_length {self.n_ctx_train}"),
            (not 0 < self.scaling.factor < 1e6, f"rope.scaling.factor {self.scaling.factor}"),
            (self.n_expert > 0 and not 0 < self.n_expert_used <= self.n_expert, "expert_used_count"),
        ]
        for is_broken, what in broken:
            if is_broken:
                raise LlamaspecError(
                    f"the model's metadata makes no sense: {self.architecture}.{what}",
                    hint="the file is damaged or was converted wrongly; download or convert it again",
                )


def _scaling(meta: Metadata) -> Scaling:
    kind = meta.str("rope.scaling.type", default="linear")
    factor = meta.float("rope.scaling.factor", default=0.0) or meta.float("rope.scale_linear", default=0.0)
    if kind not in ("none", "linear", "yarn", "longrope"):
        raise LlamaspecError(f"unknown rope scaling type '{kind[:40]}'", hint="known: none, linear, yarn, longrope")
    return Scaling(
        kind=kind,
        factor=factor if factor != 0.0 and kind != "none" else 1.0,
        original_context=meta.int("rope.scaling.original_context_length", default=meta.int("context_length")),
        attn_factor=meta.float("rope.scaling.attn_factor", default=1.0),
    )
