"""The shapes of real models, and the types that llama.cpp's quantiser gives their tensors."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from llamaspec.weights.types import BY_NAME

MIXES = ("Q4_K_M", "Q4_K", "Q5_K_M", "Q6_K", "Q4_0", "Q8_0", "F16", "BF16", "F32")
"""Q4_K: every matrix but the head, `llama-quantize --pure`."""


@dataclass(frozen=True)
class Shape:
    """The numbers of a network. biases: on queries, keys and values. head_norms: on queries and keys.

    experts: of each layer, 0 = it is dense; used: how many of them a row is routed to; n_ff: the width of one.
    """

    architecture: str
    n_layer: int
    n_embd: int
    n_ff: int
    n_head: int
    n_head_kv: int
    head: int
    n_vocab: int
    tied: bool
    rope_base: float
    eps: float
    n_ctx: int
    biases: bool = False
    head_norms: bool = False
    experts: int = 0
    used: int = 0

    def metadata(self, n_layer: int) -> dict[str, int | float]:
        """What a file of this shape, cut after n_layer layers, says of it, without the architecture in front."""
        found: dict[str, int | float] = {
            "context_length": self.n_ctx,
            "block_count": n_layer,
            "embedding_length": self.n_embd,
            "feed_forward_length": self.n_ff,
            "attention.head_count": self.n_head,
            "attention.head_count_kv": self.n_head_kv,
            "attention.key_length": self.head,
            "attention.value_length": self.head,
            "attention.layer_norm_rms_epsilon": self.eps,
            "rope.dimension_count": self.head,
            "rope.freq_base": self.rope_base,
            "vocab_size": self.n_vocab,
        }
        return found | ({"expert_count": self.experts, "expert_used_count": self.used} if self.experts else {})

    def layer(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name without "blk.N." and logical shape of every tensor of a layer, in llama.cpp's order."""
        d, f, kv = self.n_embd, self.n_ff, self.n_head_kv * self.head
        yield "attn_norm.weight", (d,)
        for part, out in (("q", self.n_head * self.head), ("k", kv), ("v", kv)):
            yield f"attn_{part}.weight", (out, d)
            if self.biases:
                yield f"attn_{part}.bias", (out,)
            if self.head_norms and part != "v":
                yield f"attn_{part}_norm.weight", (self.head,)
        yield "attn_output.weight", (d, self.n_head * self.head)
        yield "ffn_norm.weight", (d,)
        if self.experts:
            yield "ffn_gate_inp.weight", (self.experts, d)
        stack, end = ((self.experts,), "_exps") if self.experts else ((), "")
        yield f"ffn_gate{end}.weight", (*stack, f, d)
        yield f"ffn_up{end}.weight", (*stack, f, d)
        yield f"ffn_down{end}.weight", (*stack, d, f)


SHAPES = {
    "llama-3.2-1b": Shape("llama", 16, 2048, 8192, 32, 8, 64, 128256, True, 5e5, 1e-5, 131072),
    "llama-3.1-8b": Shape("llama", 32, 4096, 14336, 32, 8, 128, 128256, False, 5e5, 1e-5, 131072),
    "llama-3.3-70b": Shape("llama", 80, 8192, 28672, 64, 8, 128, 128256, False, 5e5, 1e-5, 131072),
    "qwen2.5-0.5b": Shape("qwen2", 24, 896, 4864, 14, 2, 64, 151936, True, 1e6, 1e-6, 32768, biases=True),
    "qwen2.5-7b": Shape("qwen2", 28, 3584, 18944, 28, 4, 128, 152064, False, 1e6, 1e-6, 32768, biases=True),
    "qwen3-4b": Shape("qwen3", 36, 2560, 9728, 32, 8, 128, 151936, True, 1e6, 1e-6, 40960, head_norms=True),
    # Mixtral 8x7B at half its width, and Qwen3-30B-A3B at its own: 4 layers of both, and a vocabulary that takes the
    # share of a pass that the whole one takes. Both are of the architecture llama, which every engine here can run.
    "mixtral-like": Shape(
        "llama", 4, 2048, 7168, 16, 4, 128, 2048, False, 1e6, 1e-5, 32768, experts=8, used=2
    ),
    "qwen3-30b-a3b-like": Shape(
        "llama", 4, 2048, 768, 32, 4, 128, 12672, False, 1e6, 1e-6, 40960, experts=128, used=8
    ),
    "toy": Shape("llama", 8, 256, 512, 8, 2, 32, 512, False, 1e4, 1e-5, 2048),
    "toy-qwen": Shape("qwen2", 4, 96, 160, 6, 2, 16, 512, True, 1e4, 1e-6, 2048, biases=True),
    "toy-experts": Shape("llama", 2, 256, 256, 8, 2, 32, 512, False, 1e4, 1e-5, 2048, experts=8, used=2),
}  # fmt: skip

_FALLBACKS = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}


def type_of(name: str, mix: str, shape: Shape) -> str:
    """The type that llama.cpp's quantiser gives a tensor under a mixture; shape: the whole model's, not a twin's."""
    part = name.split(".")[-2].removesuffix("_exps")
    width = {"ffn_down": shape.n_ff, "attn_output": shape.n_head * shape.head}.get(part, shape.n_embd)
    if name.endswith("bias") or "norm" in name or part == "ffn_gate_inp":
        return "F32"
    if mix in ("F32", "F16", "BF16", "Q8_0"):
        return mix
    chosen = {"Q4_K_M": "Q4_K", "Q5_K_M": "Q5_K"}.get(mix, mix)
    if name == "output.weight" or (shape.tied and name == "token_embd.weight"):
        chosen = "Q8_0" if width % BY_NAME[chosen].elements else "Q6_K"
    elif mix.endswith("_M") and part in ("attn_v", "ffn_down"):
        layer, n = int(name.split(".")[1]), shape.n_layer
        more = layer < n // 8 or layer >= 7 * n // 8 or (layer - n // 8) % 3 == 2
        chosen = "Q6_K" if more else "Q5_K" if n == 80 and part == "attn_v" else chosen
    return _FALLBACKS[chosen] if width % BY_NAME[chosen].elements else chosen
