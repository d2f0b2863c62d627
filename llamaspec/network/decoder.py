"""What every architecture is: a batch of rows in, logits and asked-for features out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from ..kernels.dispatch import BlockParts, EndParts, KVIndex, PassInfo, Run
from ..kernels.reference import KV_BLOCK
from ..layers.attention import Attention
from ..layers.linear import Embedding, Linear
from ..layers.mlp import SwiGLU
from ..layers.moe import Experts
from ..layers.norm import RMSNorm
from ..layers.rope import Rope
from ..network.cache import Cache, Dense
from .hparams import HParams
from .weights import Weights


@dataclass(frozen=True)
class Batch:
    """N rows. Every tensor is on the model's device; nothing here makes the forward pass branch.

    tokens, positions, slots [N] int64; siblings in a draft tree share a position. cells [N]: where the row's keys and
    values are written. index: what it sees. wanted [W]: rows whose logits are needed, None = all.
    """

    tokens: Tensor
    positions: Tensor
    slots: Tensor
    cells: Tensor
    index: KVIndex
    wanted: Tensor | None


@dataclass(frozen=True)
class Output:
    """logits [W, V] float32. features: layer -> its input [N, D], only the layers that were asked for."""

    logits: Tensor
    features: Mapping[int, Tensor] = field(default_factory=dict)


class Block:
    """A pre-norm decoder block: x += attention(norm x); x += feed_forward(norm x)."""

    def __init__(
        self, attn_norm: RMSNorm, attention: Attention, ffn_norm: RMSNorm, feed_forward: SwiGLU | Experts
    ) -> None:
        self.attn_norm, self.attention = attn_norm, attention
        self.ffn_norm, self.feed_forward = ffn_norm, feed_forward

    def __call__(self, x: Tensor, turn: PassInfo, store: Dense) -> Tensor:
        """x [N, D] -> [N, D]."""
        x = self.attention(self.attn_norm(x), turn, store, x)
        return self.feed_forward(self.ffn_norm(x), x)

    def parts(self) -> BlockParts | None:
        """What a back end needs to evaluate the block in one go; None if it is not exactly the standard dense one."""
        attention, dense = self.attention, self.feed_forward
        if type(self) is not Block or type(attention) is not Attention or type(dense) is not SwiGLU:
            return None
        norms = [self.attn_norm, self.ffn_norm]
        heads = None
        if attention.q_norm is not None and attention.k_norm is not None:
            heads = (attention.q_norm.weight, attention.k_norm.weight)
            norms += [attention.q_norm, attention.k_norm]
        if any(type(norm) is not RMSNorm or norm.eps != self.attn_norm.eps for norm in norms):
            return None
        linears = [*attention.qkv.parts, attention.output, *dense.gate_up.parts, dense.down]
        return BlockParts(
            self.attn_norm.weight,
            self.ffn_norm.weight,
            heads,
            [linear.matrix for linear in linears],
            [linear.bias for linear in linears],
            attention.heads,
            attention.kv_heads,
            attention.scale,
            self.attn_norm.eps,
        )


class Model:
    """The standard decoder: embedding, blocks, norm, output. Architectures are subclasses that say what differs."""

    interleaved = False
    """Rotated pairs are (2j, 2j+1), NORM in llama.cpp's words; else (j, j + n_rot/2), NEOX."""
    head_norms = False
    """Whether queries and keys are normalised per head before rotation."""

    def __init__(self, hparams: HParams, weights: Weights, n_ctx: int) -> None:
        self.hparams = hparams
        self.device = weights.device
        self.kernels = weights.kernels
        self.token_embd = weights.embedding("token_embd", hparams.n_vocab, hparams.n_embd)
        self.blk = [self.block(weights, f"blk.{i}") for i in range(hparams.n_layer)]
        self.output_norm = weights.norm("output_norm", hparams.n_embd)
        self.output = self.head(weights)
        self.rope = self.rotation(weights, n_ctx)
        self.fused = self.fusion()

    def fusion(self) -> Run | None:
        """One call for a whole pass, where the back end has it and every part is exactly the standard one."""
        embedding, norm, output = self.token_embd, self.output_norm, self.output
        blocks = [parts for block in self.blk if (parts := block.parts()) is not None]
        standard = type(embedding) is Embedding and type(norm) is RMSNorm and type(output) is Linear
        if not standard or len(blocks) < len(self.blk):
            return None
        ends = EndParts(embedding.matrix, norm.weight, norm.eps, output.matrix, output.bias)
        return self.kernels.fuse(blocks, ends)

    def head(self, weights: Weights) -> Linear:
        """The output projection, or the embedding again where the file ties them."""
        if "output.weight" in weights:
            return weights.linear("output", self.hparams.n_vocab, self.hparams.n_embd)
        bias = weights.vector("output.bias", self.hparams.n_vocab) if "output.bias" in weights else None
        return Linear(self.token_embd.matrix, bias, self.kernels)

    def rotation(self, weights: Weights, n_ctx: int) -> Rope:
        """Rope with the file's frequency divisors: Llama 3's, or LongRoPE's, chosen by the context size."""
        h, divisors = self.hparams, None
        longer = "long" if n_ctx > h.scaling.original_context else "short"
        for name in ("rope_freqs.weight", f"rope_factors_{longer}.weight"):
            if name in weights:
                divisors = weights.vector(name, h.n_rot // 2)
        return Rope(h.n_rot, h.rope_base, self.interleaved, self.device, h.scaling, divisors)

    def block(self, weights: Weights, name: str) -> Block:
        """One decoder block; name is "blk.N"."""
        h = self.hparams
        return Block(
            weights.norm(f"{name}.attn_norm", h.n_embd),
            self.attention(weights, name),
            weights.norm(f"{name}.ffn_norm", h.n_embd),
            self.feed_forward(weights, name),
        )

    def attention(self, weights: Weights, name: str) -> Attention:
        """Grouped-query attention, biases where the file has them."""
        h = self.hparams
        outs = (h.n_head * h.head_k, h.n_head_kv * h.head_k, h.n_head_kv * h.head_v)
        q, k, v = weights.split(f"{name}.attn_qkv", ("attn_q", "attn_k", "attn_v"), outs, h.n_embd)
        return Attention(
            q, k, v,
            weights.linear(f"{name}.attn_output", h.n_embd, h.n_head * h.head_v),
            heads=h.n_head,
            kv_heads=h.n_head_kv,
            scale=h.head_k**-0.5,
            kernels=self.kernels,
            q_norm=weights.norm(f"{name}.attn_q_norm", h.head_k) if self.head_norms else None,
            k_norm=weights.norm(f"{name}.attn_k_norm", h.head_k) if self.head_norms else None,
        )  # fmt: skip

    def feed_forward(self, weights: Weights, name: str) -> SwiGLU | Experts:
        """SwiGLU, or a mixture of them when the file has experts."""
        h = self.hparams
        if h.n_expert:
            gates = weights.experts(f"{name}.ffn_gate_exps", h.n_expert, h.n_ff, h.n_embd)
            ups = weights.experts(f"{name}.ffn_up_exps", h.n_expert, h.n_ff, h.n_embd)
            downs = weights.experts(f"{name}.ffn_down_exps", h.n_expert, h.n_embd, h.n_ff)
            parts = [SwiGLU(g, u, d, self.kernels) for g, u, d in zip(gates, ups, downs, strict=True)]
            return Experts(weights.linear(f"{name}.ffn_gate_inp", h.n_expert, h.n_embd), parts, h.n_expert_used)
        return SwiGLU(
            weights.linear(f"{name}.ffn_gate", h.n_ff, h.n_embd),
            weights.linear(f"{name}.ffn_up", h.n_ff, h.n_embd),
            weights.linear(f"{name}.ffn_down", h.n_embd, h.n_ff),
            self.kernels,
        )

    def new_cache(
        self, slots: int, context: int, keys: torch.dtype | None = None, values: torch.dtype | None = None
    ) -> Cache:
        """Room for `slots` texts of `context` tokens. keys: None = what the kernels like; values: None = as keys."""
        h = self.hparams
        layers = [(h.n_head_kv, h.head_k, h.head_v)] * h.n_layer
        keys = keys or self.kernels.cache_type
        return Cache.allocate(layers, slots, context, (keys, values or keys), self.device)

    def between(self, x: Tensor, turn: PassInfo, stores: Sequence[Dense], first: int, last: int) -> Tensor:
        """x [N, D], the input of block `first` -> [N, D], the input of block `last`."""
        if self.fused is not None:
            return self.fused(x, turn, stores, first, last)
        for block, store in zip(self.blk[first:last], stores[first:last], strict=True):
            x = block(x, turn, store)
        return x

    def angles(self, batch: Batch, whole: bool) -> tuple[Tensor, Tensor]:
        """cos, sin [N, width / 2] of the rows, or of all positions as a whole pass wants them.

        A fused model takes both from one table, so that asking for features changes no bit.
        """
        if self.fused is None:
            return self.rope(batch.positions)
        cos, sin = self.rope.table(batch.index.blocks * KV_BLOCK)
        return (cos, sin) if whole else (cos[batch.positions], sin[batch.positions])

    def forward(self, batch: Batch, cache: Cache, features: Sequence[int] = ()) -> Output:
        """Evaluate N rows, leaving their keys and values in the cache (provisional until committed).

        No host synchronisation, no branch on data: shapes depend on N, W and batch.index.blocks only.
        """
        whole = self.fused is not None and not features and (batch.wanted is None or not len(batch.wanted))
        turn = PassInfo(batch.index, batch.slots, batch.cells, *self.angles(batch, whole), self.rope.interleaved)
        if self.fused is not None and whole:
            return Output(self.fused.evaluate(batch.tokens, turn, cache.stores, batch.wanted is None))
        x = self.token_embd(batch.tokens)
        inputs = {}
        asked = sorted({layer for layer in features if 0 <= layer <= len(self.blk)})
        for start, stop in pairwise([0, *asked, len(self.blk)]):
            x = self.between(x, turn, cache.stores, start, stop)
            if stop in features:
                inputs[stop] = x
        x = x if batch.wanted is None else x.index_select(0, batch.wanted)
        logits = self.output(self.output_norm(x))
        return Output(logits, inputs)
