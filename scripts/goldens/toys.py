"""Tiny random models: metadata and the shapes of tensors, written as a GGUF file."""

import string
from pathlib import Path
from typing import Any

import gguf
import numpy as np

PIECES = ["<unk>", "<s>", "</s>", "\u2581", "\n", *string.ascii_letters, *string.digits, *string.punctuation]
N_VOCAB = 96
POST = ("post_attention_norm", "post_ffw_norm")
"""Norms behind the parts of a block."""


class Toy:
    """A model of `layers` blocks, D values wide, in which `heads` queries of `key` values share `kv` heads.

    keys: metadata without the architecture's prefix, dots written as two underscores. Every method adds what a block or
    a model of that kind has, under its usual name.
    """

    width, heads, kv, key, value, inner = 32, 2, 1, 16, 16, 48
    seed = 0  # the first to try
    quiet = False  # what blocks add is small: else rounding grows from layer to layer in a deep model

    def __init__(self, arch: str, layers: int = 2, *, tied: bool = False, norm: str = "rms", **keys: Any) -> None:
        self.arch, self.layers, self.layer_norms = arch, layers, norm == "layer"
        self.tensors: dict[str, tuple[int, ...]] = {}
        eps = "layer_norm_epsilon" if self.layer_norms else "layer_norm_rms_epsilon"
        self.keys: dict[str, Any] = {
            "context_length": 1024, "embedding_length": self.width, "block_count": layers, "vocab_size": N_VOCAB,
            "feed_forward_length": self.inner, "attention.head_count": self.heads, "attention.head_count_kv": self.kv,
            f"attention.{eps}": 1e-5, **{key.replace("__", "."): value for key, value in keys.items()},
        }  # fmt: skip
        self.keys = {key: value for key, value in self.keys.items() if value is not None}
        self.add("token_embd.weight", N_VOCAB, self.width)
        if not tied:
            self.add("output.weight", N_VOCAB, self.width)
        self.norm("output_norm")

    def add(self, name: str, *shape: int) -> None:
        """A tensor in numpy's order of dimensions."""
        self.tensors[name] = shape

    def linear(self, name: str, out: int, inner: int, bias: bool = False) -> None:
        """A matrix, and its bias."""
        self.add(f"{name}.weight", out, inner)
        if bias:
            self.add(f"{name}.bias", out)

    def norm(self, name: str, size: int = 0, bias: bool | None = None) -> None:
        """Weights of a norm; layer norms have a bias unless told otherwise."""
        self.add(f"{name}.weight", size or self.width)
        if self.layer_norms if bias is None else bias:
            self.add(f"{name}.bias", size or self.width)

    def norms(self, i: int, *names: str, bias: bool | None = None) -> None:
        """Norms of a block."""
        for name in names:
            self.norm(f"blk.{i}.{name}", bias=bias)

    def attention(
        self, i: int, *, bias: bool = False, out_bias: bool = False, fused: bool = False, norm: str = "",
        gated: bool = False, key: int = 0, value: int = 0, heads: int = 0, kv: int | None = None,
    ) -> None:  # fmt: skip
        """Queries, keys, values and output. norm: of queries and keys, "head" or "whole"."""
        key, value, heads = key or self.key, value or key or self.value, heads or self.heads
        kv, name = self.kv if kv is None else kv, f"blk.{i}.attn"
        outs = {"q": heads * key * (2 if gated else 1), "k": kv * key, "v": kv * value}
        if fused:
            self.linear(f"{name}_qkv", sum(outs.values()), self.width, bias)
        else:
            for part, out in outs.items():
                self.linear(f"{name}_{part}", out, self.width, bias)
        self.linear(f"{name}_output", self.width, heads * value, out_bias)
        if norm:
            for part, count in (("q", heads), ("k", kv)):
                self.norm(f"{name}_{part}_norm", key * (count if norm == "whole" else 1), bias=False)

    def dense(
        self, i: int, *, gated: bool = True, bias: bool = False, fused: bool = False, width: int = 0, suffix: str = ""
    ) -> None:
        """A feed-forward part. fused: gate and up in ffn_up."""
        width, name = width or self.inner, f"blk.{i}.ffn"
        if gated and not fused:
            self.linear(f"{name}_gate{suffix}", width, self.width, bias)
        self.linear(f"{name}_up{suffix}", width * (2 if fused else 1), self.width, bias)
        self.linear(f"{name}_down{suffix}", self.width, width, bias)

    def experts(
        self, i: int, *, count: int = 4, width: int = 24, bias: bool = False, fused: bool = False, gated: bool = True,
        shared: int = 0, shared_gate: bool = False, inner: int = 0,
    ) -> None:  # fmt: skip
        """A mixture. bias: of the scores. fused: gate and up in one stack. inner: width of what the experts read."""
        name, inner = f"blk.{i}.ffn", inner or self.width
        self.add(f"{name}_gate_inp.weight", count, self.width)
        if bias:
            self.add(f"blk.{i}.exp_probs_b.bias", count)
        if fused:
            self.add(f"{name}_gate_up_exps.weight", count, 2 * width, inner)
        else:
            for part in ("gate", "up") if gated else ("up",):
                self.add(f"{name}_{part}_exps.weight", count, width, inner)
        self.add(f"{name}_down_exps.weight", count, inner, width)
        if shared:
            self.dense(i, width=shared, suffix="_shexp", gated=gated)
        if shared_gate:
            self.add(f"{name}_gate_inp_shexp.weight", self.width)

    def mamba(
        self, i: int, *, inner: int = 64, size: int = 16, heads: int = 4, groups: int = 2, kernel: int = 4
    ) -> None:
        """A Mamba-2 layer."""
        name, channels = f"blk.{i}.ssm", inner + 2 * groups * size
        self.linear(f"{name}_in", inner + channels + heads, self.width)
        self.add(f"{name}_conv1d.weight", channels, kernel)
        self.add(f"{name}_conv1d.bias", channels)
        self.add(f"{name}_dt.bias", heads)
        self.add(f"{name}_a", heads, 1)
        self.add(f"{name}_d", heads, 1)
        self.add(f"{name}_norm.weight", groups, inner // groups)
        self.linear(f"{name}_out", self.width, inner)

    def short_conv(self, i: int, kernel: int) -> None:
        """LFM2's convolution."""
        name = f"blk.{i}.shortconv"
        self.linear(f"{name}.in_proj", 3 * self.width, self.width)
        self.linear(f"{name}.out_proj", self.width, self.width)
        self.add(f"{name}.conv.weight", self.width, kernel)

    def latent_attention(
        self, i: int, *, q_rank: int = 0, c: int = 24, nope: int = 16, rope: int = 8, value: int = 16
    ) -> None:
        """DeepSeek's, in the layout of newer files."""
        name, heads = f"blk.{i}.attn", self.heads
        if q_rank:
            self.linear(f"{name}_q_a", q_rank, self.width)
            self.norm(f"{name}_q_a_norm", q_rank)
        self.linear(f"{name}_q_b" if q_rank else f"{name}_q", heads * (nope + rope), q_rank or self.width)
        self.linear(f"{name}_kv_a_mqa", c + rope, self.width)
        self.norm(f"{name}_kv_a_norm", c)
        self.add(f"{name}_k_b.weight", heads, c, nope)
        self.add(f"{name}_v_b.weight", heads, value, c)
        self.linear(f"{name}_output", self.width, heads * value)

    def indexer(self, i: int, q_rank: int, heads: int, size: int) -> None:
        """DeepSeek V3.2's."""
        name = f"blk.{i}.indexer"
        self.linear(f"{name}.attn_q_b", heads * size, q_rank)
        self.linear(f"{name}.attn_k", size, self.width)
        self.norm(f"{name}.k_norm", size, bias=True)
        self.linear(f"{name}.proj", heads, self.width)

    def values(self, seed: int) -> dict[str, np.ndarray]:
        """Random values that half precision holds exactly."""
        rng = np.random.default_rng([seed, *self.arch.encode()])
        drawn = {name: draw(rng, name, shape) for name, shape in self.tensors.items()}
        if self.quiet:
            last = (".post_", "attn_output", "ffn_down")
            drawn |= {name: array / 8 for name, array in drawn.items() if any(part in name for part in last)}
        return {name: array.astype(np.float16).astype(np.float32) for name, array in drawn.items()}

    def write(self, path: Path, values: dict[str, np.ndarray], half: bool) -> None:
        """half: matrices in half precision, else everything in single."""
        writer = gguf.GGUFWriter(path, self.arch)
        writer.add_name("tiny random model")  # llama.cpp takes a name with "phi3" in it for a sign
        for key, value in self.keys.items():
            add_key(writer, key if key.startswith("xielu") else f"{self.arch}.{key}", value)
        add_vocabulary(writer)
        for name, array in values.items():
            small = not half or array.ndim < 2 or "conv" in name or name.endswith(("ssm_a", "ssm_d", "norm.weight"))
            writer.add_tensor(name, array if small else array.astype(np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def block(
    toy: Toy,
    i: int,
    before: str = "attn_norm",
    between: str = "ffn_norm",
    behind: tuple[str, ...] = (),
    **attention: Any,
) -> None:
    """The attention of block i and its norms; an empty name: no norm there."""
    toy.norms(i, *(name for name in (before, between, *behind) if name))
    toy.attention(i, **attention)


def draw(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values of a size that suits what a tensor of this name does."""
    normal = rng.standard_normal(shape)
    if name.endswith(("ssm_a", "ssm_d")):
        return -np.exp(normal / 2) if name.endswith("a") else normal
    if name.endswith("ssm_dt.bias"):
        return normal - 1
    if name.endswith(".scale") or name.startswith(("rope_f", "rope_factors")):
        return np.exp(normal / 3)
    if name.endswith(("norm.weight", "norm_1.weight", "norm_2.weight", "ffn_norm", "layer_output_scale.weight")):
        return 1 + normal / 5
    if name.endswith((".bias", "exp_probs_b")):
        return normal / 5
    if name.startswith("position_embd"):
        return normal / 3
    if name.startswith(("token_embd", "per_layer_token_embd")) or len(shape) < 2:
        return normal
    return normal * 1.5 / np.sqrt(shape[-1])


def add_key(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    """By the type of the value."""
    if isinstance(value, list | tuple):
        writer.add_array(key, list(value))
    elif isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    else:
        writer.add_string(key, value)


def add_vocabulary(writer: gguf.GGUFWriter) -> None:
    """Letters, digits and punctuation: 96 pieces, and three special ones among them."""
    pieces = [*PIECES, *(f"<{i}>" for i in range(N_VOCAB))][:N_VOCAB]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores([0.0] * N_VOCAB)
    writer.add_token_types([2, 3, 3] + [1] * (N_VOCAB - 3))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
