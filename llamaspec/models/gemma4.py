"""Gemma 4 (spec/models.md 2.4): two kinds of layers, shared caches, a table of embeddings for every layer."""

from dataclasses import dataclass, replace
from typing import Any

from ..kernels.protocol import Experts, Matrix, Operations, Value, Vector
from ..kernels.records import Routing
from ..layers.block import Block
from ..layers.linear import Linear
from ..layers.mlp import MLP
from ..layers.norm import Norm
from ..layers.rope import Rope
from ..network import feed_forward as feed_forwards
from ..network.hparams import Dense, Heads, HParams, Layer, Mixture
from ..network.keys import Keys
from ..network.weights import Weights
from ..weights.metadata import Metadata
from ._gemma import Gemma


class Model(Gemma):
    """Sliding layers have heads and a rotation of their own; a rotation of the full ones is stretched by the file."""

    head_norm = "head"

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """Layers may have embeddings of their own."""
        h = super().read(meta, n_vocab)
        return replace(h, layer_embedding=meta.int("embedding_length_per_layer_input", default=0))

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """Scores are not scaled; the last layers read the cache of the last one of their kind that has its own."""
        meta, sliding = keys.meta, keys.sliding(0)
        own = keys.blocks - meta.int("attention.shared_kv_layers", default=0)
        full = replace(cls.grouped(keys, i), scale=1.0, value_norm=True)
        full = replace(full, source=None if i < own else own - (2 if sliding[i] else 1))
        if not sliding[i]:
            return full
        key, value = meta.int("attention.key_length_swa"), meta.int("attention.value_length_swa")
        n_rot = meta.int("rope.dimension_count_swa", default=keys.n_rot)
        base = meta.float("rope.freq_base_swa", default=10000.0)
        rope = Rope(n_rot, base, cls.interleaved, divided=False)
        return replace(full, key=key, value=value, rope=rope, window=meta.int("attention.sliding_window"))

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Dense | Mixture:
        """`shared` is the dense part beside the experts, which has norms of its own."""
        if not keys.n_expert:
            return Dense(keys.widths[i], cls.activation)
        width = keys.expert_width(i)
        return Mixture(keys.n_expert, width, keys.routing(), cls.activation, shared=keys.widths[i])

    def __init__(self, hparams: HParams, weights: Weights, n_ctx: int) -> None:
        self.layer_inputs = LayerInputs.of(hparams, weights) if hparams.layer_embedding else None
        super().__init__(hparams, weights, n_ctx)

    def block(self, weights: Weights, i: int, layer: Layer, n_ctx: int) -> "Gemma4Block":  # type: ignore[override]
        """Block i."""
        name, width = f"blk.{i}", self.hparams.layer_embedding
        scale = f"{name}.layer_output_scale.weight"
        injection = Injection.of(weights, name, self.hparams.n_embd, width) if width else None
        factor = float(weights.numbers(scale, 1)[0]) if scale in weights else 1.0
        return Gemma4Block(super().block(weights, i, layer, n_ctx), injection, factor)

    def feed_forward_layer(self, weights: Weights, i: int, h: Any) -> Any:
        """Experts stand beside a dense part."""
        if isinstance(h, Mixture):
            return DenseAndExperts.of(weights, f"blk.{i}", self.hparams.n_embd, h)
        return super().feed_forward_layer(weights, i, h)

    def block_norm(self, weights: Weights, i: int, name: str) -> Norm | None:
        """A layer with experts normalises what its feed-forward parts read in each of them."""
        mixture = isinstance(self.hparams.layers[i].feed_forward, Mixture)
        return None if mixture and name == self.ffn_norm else super().block_norm(weights, i, name)

    # What goes from block to block is a pair: rows [N, D], and the layers' own inputs [N, layers * P] or None.

    def enter(self, ops: Operations) -> Value:
        """-> the pair."""
        x = super().enter(ops)
        return x, None if self.layer_inputs is None else self.layer_inputs(x, ops)

    def resume(self, ops: Operations) -> Value:
        """-> the pair, which came as rows [N, D + layers * P]."""
        h = self.hparams
        if self.layer_inputs is None:
            return super().resume(ops), None
        whole = ops.resume(h.n_embd + h.n_layer * h.layer_embedding)
        return ops.columns(whole, 0, h.n_embd), ops.columns(whole, h.n_embd, whole_width(h))

    def leave(self, ops: Operations, x: Value) -> Value:
        """The pair as rows."""
        return x[0] if x[1] is None else ops.join(x, 1)

    def run_blocks(self, ops: Operations, x: Value, first: int, last: int) -> Value:
        """x, the pair before block `first` -> the pair before block `last`."""
        (rows, inputs), width = x, self.hparams.layer_embedding
        for i in range(first, last):
            ops.mark(i, rows)
            own = None if inputs is None else ops.columns(inputs, i * width, (i + 1) * width)
            block: Any = self.blk[i]
            rows = block(rows, own, ops)
        return rows, inputs

    def finish(self, ops: Operations, x: Value) -> None:
        """The pair behind the last block becomes logits."""
        super().finish(ops, x[0])


def whole_width(h: HParams) -> int:
    """Of rows with the layers' own inputs behind them."""
    return h.n_embd + h.n_layer * h.layer_embedding


@dataclass(frozen=True)
class Gemma4Block:
    """The sandwich, then what the layer's own input adds, then a scale for everything."""

    inner: Block
    injection: "Injection | None"
    scale: float

    def __call__(self, x: Value, own: Value, ops: Operations) -> Value:
        """x [N, D], own [N, P] or None -> [N, D]."""
        x = self.inner(x, ops)
        if self.injection is not None:
            x = self.injection(x, own, ops)
        return x if self.scale == 1.0 else ops.scale(x, self.scale)


@dataclass(frozen=True)
class Injection:
    """x += norm(proj(gelu(gate x) * own))."""

    gate: Linear
    proj: Linear
    norm: Norm

    @classmethod
    def of(cls, weights: Weights, name: str, n_embd: int, width: int) -> "Injection":
        """From the tensors of block `name`."""
        gate, proj = weights.linear(f"{name}.inp_gate", width, n_embd), weights.linear(f"{name}.proj", n_embd, width)
        return cls(gate, proj, weights.norm(f"{name}.post_norm", n_embd))

    def __call__(self, x: Value, own: Value, ops: Operations) -> Value:
        """x [N, D], own [N, P] -> [N, D]."""
        return ops.add(x, self.norm(self.proj(ops.gate("gelu", self.gate(x, ops), own), ops), ops))


@dataclass(frozen=True)
class LayerInputs:
    """The layers' own inputs: (norm(proj x) + table[token]) / sqrt(2), side by side."""

    table: Matrix
    table_scale: float
    proj: Linear
    norm: Norm
    layers: int
    scale: float

    @classmethod
    def of(cls, h: HParams, weights: Weights) -> "LayerInputs":
        """From the tensors in front of the blocks."""
        width, whole, weights = h.layer_embedding, h.n_layer * h.layer_embedding, weights.beside("token_embd")
        return cls(
            weights.table("per_layer_token_embd.weight", h.n_vocab, whole),
            width**0.5,
            weights.linear("per_layer_model_proj", whole, h.n_embd),
            weights.norm("per_layer_proj_norm", width),
            h.n_layer,
            h.n_embd**-0.5,
        )

    def __call__(self, x: Value, ops: Operations) -> Value:
        """x [N, D], the scaled embeddings -> [N, layers * P]."""
        projected = self.norm(ops.scale(self.proj(x, ops), self.scale), ops, self.layers)
        found = ops.lookup(self.table, "token", self.table_scale)
        return ops.scale(ops.add(projected, found), 0.5**0.5)


@dataclass(frozen=True)
class DenseAndExperts:
    """norm(dense(norm x)) + norm(experts(norm x)); the router reads x normalised without its root of D."""

    norms: tuple[Norm, Norm]
    post_norms: tuple[Norm, Norm]
    dense: MLP
    router: Linear
    router_norm: Norm
    experts: Experts
    routing: Routing

    @classmethod
    def of(cls, weights: Weights, name: str, n_embd: int, h: Mixture) -> "DenseAndExperts":
        """From the tensors of block `name`."""
        norm = {part: weights.norm(f"{name}.{part}", n_embd) for part in NORMS}
        return cls(
            (norm["ffn_norm"], norm["pre_ffw_norm_2"]),
            (norm["post_ffw_norm_1"], norm["post_ffw_norm_2"]),
            feed_forwards.dense(weights, name, n_embd, Dense(h.shared, h.activation)),
            Linear(
                weights.matrix(f"{name}.ffn_gate_inp.weight", h.count, n_embd), None, weights.kernels(f"{name}.ffn")
            ),
            Norm("rms", router_scale(weights, name, n_embd), None, weights.eps),
            feed_forwards.experts(weights, name, n_embd, h),
            h.routing,
        )

    def __call__(self, x: Value, ops: Operations) -> Value:
        """x [N, D] -> [N, D]."""
        dense = self.post_norms[0](self.dense(self.norms[0](x, ops), ops), ops)
        chosen, weights = ops.route(self.router(self.router_norm(x, ops), ops), None, self.routing)
        mixed = ops.experts(self.experts, self.norms[1](x, ops), chosen, weights)
        return ops.add(dense, self.post_norms[1](mixed, ops))


NORMS = ("ffn_norm", "pre_ffw_norm_2", "post_ffw_norm_1", "post_ffw_norm_2")


def router_scale(weights: Weights, name: str, n_embd: int) -> Vector:
    """[D]: ffn_gate_inp.scale divided by the root of D."""
    tensor = f"{name}.ffn_gate_inp.scale"
    return weights.floats(tensor, weights.numbers(tensor, n_embd) * n_embd**-0.5)
