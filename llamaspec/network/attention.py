"""Attention layers from the tensors of a file, by their records."""

from typing import Any

from ..kernels.records import Attend
from ..layers.attention import Attention
from ..layers.delta_net import GatedDeltaNet
from ..layers.latent import LatentAttention, QueryProjection
from ..layers.norm import Norm
from ..weights.tensor import QuantizedTensor
from .hparams import DeltaNet, Heads, Latent
from .stores import delta_of
from .weights import Weights


def grouped(weights: Weights, name: str, n_embd: int, h: Heads, store: int, rotation: Any, kind: str) -> Attention:
    """Grouped-query attention of block `name` ("blk.3"); biases where the file has them. kind: of its norms."""
    q_out = h.heads * h.key * (2 if h.gated else 1)
    outs = (q_out, h.kv_heads * h.key, h.kv_heads * h.value)
    q, k, v = weights.split(f"{name}.attn_qkv", ("attn_q", "attn_k", "attn_v"), outs, n_embd)
    sinks = weights.vector(f"{name}.attn_sinks.weight", h.heads) if h.sinks else None
    norms, groups = _head_norms(weights, name, h, kind)
    return Attention(
        q, k, v,
        weights.linear(f"{name}.attn_output", n_embd, h.heads * h.value),
        Attend(h.heads, h.kv_heads, h.key, h.value, h.scale, h.window, h.softcap, sinks),
        store,
        weights.kernels(f"{name}.attn_q"),
        rotation,
        norms,
        groups,
        h.gated,
    )  # fmt: skip


def _head_norms(weights: Weights, name: str, h: Heads, kind: str) -> tuple[tuple[Norm, Norm] | None, tuple[int, int]]:
    """The norms of queries and keys, and how many parts of a vector each takes by itself."""
    if not h.norm or (h.norm == "if present" and f"{name}.attn_q_norm.weight" not in weights):
        return None, (1, 1)
    whole = h.norm == "whole"
    counts = (h.heads, h.kv_heads)
    norms = []
    for part, count in zip("qk", counts, strict=True):
        tensor = f"{name}.attn_{part}_norm"
        own = f"{tensor}.weight" in weights.file.tensors and len(weights.file.info(f"{tensor}.weight").shape) == 2
        shape = (count, h.key) if own else (count * h.key,) if whole else (h.key,)
        weight = weights.vector(f"{tensor}.weight", *shape)
        norms.append(Norm("layer" if kind == "layer" else "rms", weight, None, weights.eps))
    return (norms[0], norms[1]), (1, 1) if whole else counts


def latent(weights: Weights, name: str, n_embd: int, h: Latent, store: int, rotation: Any) -> LatentAttention:
    """Multi-head latent attention; `attn_kv_b` of older files is cut into its two stacks (spec/models.md 2.1)."""
    wide = h.nope + h.rope.width
    if h.q_rank:
        q = QueryProjection(
            weights.linear(f"{name}.attn_q_b", h.heads * wide, h.q_rank),
            weights.linear(f"{name}.attn_q_a", h.q_rank, n_embd),
            weights.norm(f"{name}.attn_q_a_norm", h.q_rank),
        )
    else:
        q = QueryProjection(weights.linear(f"{name}.attn_q", h.heads * wide, n_embd))
    if f"{name}.attn_kv_b.weight" in weights:
        k_b, v_b = _cut_kv_b(weights, name, h)
    else:
        k_b = weights.stack(f"{name}.attn_k_b", h.heads, h.c, h.nope)
        v_b = weights.stack(f"{name}.attn_v_b", h.heads, h.value, h.c)
    return LatentAttention(
        q,
        weights.linear(f"{name}.attn_kv_a_mqa", h.c + h.rope.width, n_embd),
        weights.norm(f"{name}.attn_kv_a_norm", h.c),
        k_b,
        v_b,
        weights.linear(f"{name}.attn_output", n_embd, h.heads * h.value),
        Attend(h.heads, 1, h.c + h.rope.width, h.c, h.scale),
        h.nope,
        h.rope.width,
        store,
        rotation,
    )


def _cut_kv_b(weights: Weights, name: str, h: Latent) -> list[Any]:
    """kv_b [H * (nope + value), c] -> k_b [H, c, nope], which is transposed and so stored as floats, and v_b."""
    tensor = f"{name}.attn_kv_b.weight"
    whole = weights.packed(tensor, (h.heads * (h.nope + h.value), h.c))
    by_head = whole.data.reshape(h.heads, h.nope + h.value, -1)
    keys = QuantizedTensor(by_head[:, : h.nope].reshape(h.heads * h.nope, -1), whole.type, (h.heads, h.nope, h.c))
    values = QuantizedTensor(
        by_head[:, h.nope :].reshape(h.heads * h.value, -1), whole.type, (h.heads, h.value, h.c), tensor
    )
    kernels = weights.kernels(tensor)
    turned = QuantizedTensor.of_floats(kernels.numbers(keys).swapaxes(1, 2), tensor)
    return [kernels.prepare(turned), kernels.prepare(values)]


def delta_net(weights: Weights, name: str, n_embd: int, h: DeltaNet, store: int) -> GatedDeltaNet:
    """Gated delta net as Qwen3.5 stores it."""
    values = h.heads * h.size
    inputs = [
        weights.linear(f"{name}.attn_qkv", h.channels, n_embd),
        weights.linear(f"{name}.attn_gate", values, n_embd),
        weights.linear(f"{name}.ssm_beta", h.heads, n_embd),
        weights.linear(f"{name}.ssm_alpha", h.heads, n_embd),
    ]
    return GatedDeltaNet(
        weights.parallel(inputs, f"{name}.attn_qkv"),
        weights.vector(f"{name}.ssm_conv1d.weight", h.channels, h.kernel),
        Norm("l2", None, None, weights.eps),
        weights.vector(f"{name}.ssm_dt.bias", h.heads),
        weights.vector(f"{name}.ssm_a", h.heads),
        weights.norm(f"{name}.ssm_norm", h.size),
        weights.linear(f"{name}.ssm_out", n_embd, values),
        delta_of(h),
        store,
    )
