"""Attention layers from the tensors of a file, by their records."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..kernels.records import Attend, Index, NormKind
from ..layers.attention import Attention, HeadNorms
from ..layers.delta_net import GatedDeltaNet
from ..layers.indexer import Choice, LightningIndexer
from ..layers.kimi_delta import KimiDeltaAttention
from ..layers.latent import LatentAttention, QueryProjection
from ..layers.linear import Linear
from ..layers.mamba import Mamba2
from ..layers.norm import Norm
from ..layers.short_conv import GatedShortConv
from ..weights.tensor import QuantizedTensor
from .hparams import DeltaNet, Heads, Latent, Mamba, ShortConv
from .stores import delta_of
from .weights import Weights

INDEXER_EPS = 1e-6
"""Of the norm of an indexer's keys, which no key of a file says."""


def grouped(weights: Weights, name: str, n_embd: int, h: Heads, store: int, rotation: Any, kind: NormKind) -> Attention:
    """Grouped-query attention of block `name` ("blk.3"); biases where the file has them. kind: of its norms."""
    sinks = weights.vector(f"{name}.attn_sinks.weight", h.heads) if h.sinks else None
    output = weights.linear(f"{name}.attn_output", n_embd, h.heads * h.value)
    if h.value_scale != 1.0:
        output = output.scaled(h.value_scale, weights.kernels(f"{name}.attn_output"))
    how = Attend(h.heads, h.kv_heads, h.key, h.value, h.scale, h.window, h.softcap, sinks, h.chunked)
    return Attention(
        weights.parallel(_projections(weights, name, n_embd, h), f"{name}.attn_q"),
        output,
        how,
        store if h.source is None else h.source,
        rotation,
        _head_norms(weights, name, h, kind),
        h.gated,
        h.temper,
    )


def _projections(weights: Weights, name: str, n_embd: int, h: Heads) -> list[Linear]:
    """Of queries, keys and values. A layer that reads another's cache needs the first alone (Gemma 4)."""
    q_out = h.heads * h.key * (2 if h.gated else 1)
    outs = (q_out, h.kv_heads * h.key, h.kv_heads * h.value)
    parts = ("attn_q", "attn_k", "attn_v")
    used = 3
    if f"{name}.attn_qkv.weight" not in weights:
        if h.source is not None:
            used = 1
        elif h.value_norm and f"{name}.attn_v.weight" not in weights:
            used = 2
    found = weights.split(f"{name}.attn_qkv", parts[:used], outs[:used], n_embd)
    return found[:1] if h.source is not None else found


def _head_norms(weights: Weights, name: str, h: Heads, kind: NormKind) -> HeadNorms:
    """The norms of queries, keys and values."""
    v = Norm("rms", None, None, weights.eps) if h.value_norm and h.source is None else None
    if not h.norm or (h.norm == "if present" and f"{name}.attn_q_norm.weight" not in weights):
        return HeadNorms(v=v)
    groups = (1, 1) if h.norm == "whole" else (h.heads, h.kv_heads)
    if h.norm == "unit":
        unit = Norm("rms", None, None, weights.eps)
        return HeadNorms(unit, unit, v, groups, h.norm_last)
    q = _head_norm(weights, f"{name}.attn_q_norm", h, h.heads, kind)
    k = _head_norm(weights, f"{name}.attn_k_norm", h, h.kv_heads, kind) if h.source is None else None
    return HeadNorms(q, k, v, groups, h.norm_last)


def _head_norm(weights: Weights, tensor: str, h: Heads, count: int, kind: NormKind) -> Norm:
    """Weights for a head, for every head (Command-R), or for the whole vector."""
    own = f"{tensor}.weight" in weights.file.tensors and len(weights.file.info(f"{tensor}.weight").shape) == 2
    shape = (count, h.key) if own else (count * h.key,) if h.norm == "whole" else (h.key,)
    bias = weights.optional(f"{tensor}.bias", *shape)
    return Norm("layer" if kind == "layer" else "rms", weights.vector(f"{tensor}.weight", *shape), bias, weights.eps)


def latent(
    weights: Weights, name: str, n_embd: int, h: Latent, store: int, rotation: Any, indexer: Any = None
) -> LatentAttention:
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
        h.temper,
        indexer,
    )


def indexer(
    weights: Weights, name: str, n_embd: int, h: Latent, store: int, rotation: Any, choice: Choice
) -> LightningIndexer:
    """The lightning indexer of a layer with latent attention; its norm has an epsilon of its own."""
    assert h.indexer is not None
    how = Index(h.indexer.heads, h.indexer.size, h.indexer.used)
    norm = weights.norm(f"{name}.indexer.k_norm", how.size, "layer")
    return LightningIndexer(
        weights.linear(f"{name}.indexer.attn_q_b", how.heads * how.size, h.q_rank),
        weights.linear(f"{name}.indexer.attn_k", how.size, n_embd),
        replace(norm, eps=INDEXER_EPS),
        weights.linear(f"{name}.indexer.proj", how.heads, n_embd),
        rotation,
        how,
        store,
        choice,
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
    """Gated delta net as Qwen3.5 and Qwen3-Next store it."""
    values = h.heads * h.size
    if f"{name}.ssm_in.weight" in weights:
        share = values // h.key_heads
        *qkv_rows, z_rows = _rows_by_key_head(h.key_heads, (h.size, h.size, share, share))
        qkv, z = weights.picked(f"{name}.ssm_in", (np.concatenate(qkv_rows), z_rows), n_embd)
    else:
        qkv = weights.linear(f"{name}.attn_qkv", h.channels, n_embd)
        z = weights.linear(f"{name}.attn_gate", values, n_embd)
    if f"{name}.ssm_ba.weight" in weights:
        share = h.heads // h.key_heads
        beta, alpha = weights.picked(f"{name}.ssm_ba", _rows_by_key_head(h.key_heads, (share, share)), n_embd)
    else:
        beta, alpha = (weights.linear(f"{name}.ssm_{part}", h.heads, n_embd) for part in ("beta", "alpha"))
    inputs = [qkv, z, beta, alpha]
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


def kimi_delta(weights: Weights, name: str, n_embd: int, h: DeltaNet, store: int) -> KimiDeltaAttention:
    """Kimi Linear's delta net; the rate of a head stands for all its channels."""
    inner = h.heads * h.size
    parts = ("attn_q", "attn_k", "attn_v")
    qkv = weights.split(f"{name}.attn_qkv", parts, (inner,) * 3, n_embd)
    convolutions = [
        weights.whole(tensor).reshape(inner, h.kernel)
        for tensor in (f"{name}.ssm_conv1d_{part}.weight" for part in "qkv")
    ]
    by_head = weights.whole(f"{name}.ssm_a").reshape(h.heads)
    low = {part: weights.linear(f"{name}.ssm_{part}_a", h.size, n_embd) for part in "fg"}
    beta = weights.linear(f"{name}.ssm_beta", h.heads, n_embd)
    return KimiDeltaAttention(
        weights.parallel([*qkv, low["f"], low["g"], beta], f"{name}.attn_q"),
        weights.floats(f"{name}.ssm_conv1d", np.concatenate(convolutions)),
        Norm("l2", None, None, weights.eps),
        weights.linear(f"{name}.ssm_f_b", inner, h.size),
        weights.vector(f"{name}.ssm_dt.bias", inner),
        weights.floats(f"{name}.ssm_a", np.repeat(by_head, h.size)),
        weights.linear(f"{name}.ssm_g_b", inner, h.size),
        weights.norm(f"{name}.ssm_norm", h.size),
        weights.linear(f"{name}.attn_output", n_embd, inner),
        delta_of(h),
        store,
    )


def _rows_by_key_head(heads: int, widths: Sequence[int]) -> list[np.ndarray]:
    """Row numbers of each part of a tensor in which all parts of one key head lie together."""
    first, parts, start = np.arange(heads)[:, None] * sum(widths), [], 0
    for width in widths:
        parts.append((first + np.arange(start, start + width)).ravel())
        start += width
    return parts


def mamba(weights: Weights, name: str, n_embd: int, h: Mamba, store: int) -> Mamba2:
    """Mamba-2. The bias of the time step joins the projection that gives it."""
    outs = (h.inner, h.channels, h.heads)
    z, xbc, dt = weights.split(f"{name}.ssm_in", ("", "", ""), outs, n_embd)
    kernels = weights.kernels(f"{name}.ssm_in")
    dt = Linear(dt.matrix, weights.vector(f"{name}.ssm_dt.bias", h.heads), kernels, dt.scale)
    bias = weights.optional(f"{name}.ssm_conv1d.bias", h.channels)
    norm = None
    if f"{name}.ssm_norm.weight" in weights:
        shape = (h.groups, h.inner // h.groups)
        norm = Norm("rms", weights.reshaped(f"{name}.ssm_norm.weight", *shape), None, weights.eps)
    return Mamba2(
        weights.parallel([z, xbc, dt], f"{name}.ssm_in"),
        weights.vector(f"{name}.ssm_conv1d.weight", h.channels, h.kernel),
        bias,
        weights.reshaped(f"{name}.ssm_a", h.heads),
        weights.reshaped(f"{name}.ssm_d", h.heads),
        weights.floats(f"{name}.ssm_dt", np.zeros(h.heads)),
        norm,
        weights.linear(f"{name}.ssm_out", n_embd, h.inner),
        delta_of(h),
        store,
    )


def short_conv(weights: Weights, name: str, n_embd: int, h: ShortConv, store: int) -> GatedShortConv:
    """LFM2's convolution; the three inputs are one tensor."""
    inputs = weights.split(f"{name}.shortconv.in_proj", ("", "", ""), (n_embd,) * 3, n_embd)
    return GatedShortConv(
        weights.parallel(inputs, f"{name}.shortconv.in_proj"),
        weights.vector(f"{name}.shortconv.conv.weight", n_embd, h.kernel),
        weights.linear(f"{name}.shortconv.out_proj", n_embd, n_embd),
        store,
    )
