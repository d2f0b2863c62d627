"""What every architecture is: its hyper-parameters read from metadata, its blocks, a pass from tokens to logits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from ..errors import LlamaspecError
from ..kernels.kv_types import KVType
from ..kernels.protocol import Batch, Operations, Output, Value
from ..kernels.records import Activation
from ..layers.block import Block
from ..layers.indexer import Choice, SharedChoice
from ..layers.linear import Linear
from ..layers.norm import Norm
from ..layers.rope import Rope
from ..weights.metadata import Metadata
from . import attention as attentions
from . import feed_forward as feed_forwards
from .cache import Cache
from .hparams import (
    Attention,
    Both,
    DeltaNet,
    Dense,
    FeedForward,
    HeadNorm,
    Heads,
    HParams,
    Indexer,
    Latent,
    Layer,
    Mamba,
    Mixture,
    ShortConv,
)
from .keys import Keys, Sections
from .segments import run, segments
from .stores import store_for
from .weights import Weights

NORMED = -1
"""The feature that is the state behind the last norm. Layer n's input has the number n."""


class Model:
    """The standard decoder: embedding, blocks, norm, output. Architectures are subclasses that say what differs.

    `read` makes the records; what is not in a record is one of these facts about a family.
    """

    interleaved = False
    """Rotated pairs are (2j, 2j+1), NORM in llama.cpp's words; else (j, j + n_rot/2), NEOX."""
    sections: Sections = ""
    norm: Literal["rms", "layer"] = "rms"
    activation: Activation = "silu"
    head_norm: HeadNorm = ""
    """Of queries and keys, before the rotation."""
    gated = True
    """Whether the feed-forward part multiplies by a gate."""
    parallel = False
    """Whether attention and feed-forward part read the same normalised rows."""
    attn_norm, ffn_norm = "attn_norm", "ffn_norm"
    post_attention_norm = post_ffw_norm = ""
    """Names of the tensors of a block's norms; "" = it has none there."""

    # -- what the file says -------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """From `{architecture}.*` keys (spec/models.md 1.1). Raises LlamaspecError for what no network can have."""
        keys = Keys(meta)
        return HParams(
            architecture=meta.architecture,
            n_vocab=n_vocab,
            n_embd=keys.n_embd,
            n_ctx_train=meta.int("context_length"),
            eps=cls.eps(keys),
            layers=tuple(cls.layer(keys, i) for i in range(keys.n_layer)),
        )

    @classmethod
    def eps(cls, keys: Keys) -> float:
        """Of all norms."""
        return keys.eps(cls.norm)

    @classmethod
    def layer(cls, keys: Keys, i: int) -> Layer:
        """Block i."""
        return Layer(cls.attention(keys, i), cls.feed_forward(keys, i))

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Attention:
        """What block i remembers by and looks at."""
        return cls.grouped(keys, i)

    @classmethod
    def grouped(cls, keys: Keys, i: int) -> Heads:
        """Grouped-query attention over all positions, scaled by the root of a head's width."""
        rope = keys.rope(cls.interleaved, cls.sections)
        heads, kv_heads = keys.heads[i], keys.kv_heads[i]
        scale = max(keys.key, 1) ** -0.5
        return Heads(heads, kv_heads, keys.key, keys.value, scale, rope, norm=cls.head_norm)

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """A gated part, or a mixture of them when the file has experts."""
        if keys.n_expert:
            return Mixture(keys.n_expert, keys.expert_width(i), keys.routing(), cls.activation)
        return Dense(keys.widths[i], cls.activation, cls.gated)

    # -- what is made of it -------------------------------------------------------------------------------------------

    def __init__(self, hparams: HParams, weights: Weights, n_ctx: int) -> None:
        h = self.hparams = hparams
        self.places = [weights.at("token_embd"), *(weights.at(f"blk.{i}.") for i in range(h.n_layer))]
        self.places.append(weights.at("output"))
        self.device, self.kernels = self.places[0].device, self.places[0].kernels
        self._check_sources()
        self._choices: dict[int, Choice] = {}
        self._rotations: dict[tuple[Rope, int], Any] = {}
        self.token_embd = weights.embedding("token_embd", h.n_vocab, h.n_embd, h.embedding_scale)
        self.blk = [self.block(weights, i, layer, n_ctx) for i, layer in enumerate(h.layers)]
        self.output_norm = weights.beside("output").norm(self.output_norm_name, h.n_embd, self.norm)
        self.output = self.head(weights)
        self.segments = segments(self)

    output_norm_name = "output_norm"

    def _check_sources(self) -> None:
        """Raises LlamaspecError where a layer needs what one in another place keeps or chooses."""
        for i, layer in enumerate(self.hparams.layers):
            h = layer.attention.indexer if isinstance(layer.attention, Latent) else layer.attention
            source = h.source if isinstance(h, Heads | Indexer) else None
            if source is not None and self.places[i + 1] != self.places[source + 1]:
                raise LlamaspecError(
                    f"layer {i} needs what layer {source} keeps, so they cannot be in different places",
                    hint="keep them together: change -ngl, -ot or -ts",
                )

    def head(self, weights: Weights) -> Linear:
        """The output projection, or the embedding again where the file ties them."""
        if "output.weight" in weights:
            return weights.linear("output", self.hparams.n_vocab, self.hparams.n_embd)
        place, (n_vocab, n_embd) = self.places[-1], (self.hparams.n_vocab, self.hparams.n_embd)
        tied = self.token_embd.matrix
        if place != self.places[0]:
            tied = place.kernels.prepare(weights.packed("token_embd.weight", (n_vocab, n_embd)))
        return Linear(tied, weights.optional("output.bias", n_vocab), place.kernels)

    def rotation(self, weights: Weights, i: int, rope: Rope | None, n_ctx: int) -> Any:
        """Block i's rotation, with the file's divisors: Llama 3's, or LongRoPE's, chosen by the context size."""
        if rope is None:
            return None
        kernels = self.places[i + 1].kernels
        if (rope, id(kernels)) not in self._rotations:
            divisors = None
            longer = "long" if n_ctx > rope.scaling.original_context else "short"
            for name in ("rope_freqs.weight", f"rope_factors_{longer}.weight"):
                if rope.divided and name in weights:
                    divisors = weights.numbers(name, rope.width // 2)
            frequencies = rope.frequencies(divisors)
            made = kernels.rotation(frequencies, rope.amplitude, rope.interleaved)
            self._rotations[rope, id(kernels)] = made
        return self._rotations[rope, id(kernels)]

    def block(self, weights: Weights, i: int, layer: Layer, n_ctx: int) -> Block:
        """Block i; its store has the same number."""
        return Block(
            self.attention_layer(weights, i, layer.attention, n_ctx),
            self.feed_forward_layer(weights, i, layer.feed_forward),
            attn_norm=self.block_norm(weights, i, self.attn_norm),
            ffn_norm=self.block_norm(weights, i, self.ffn_norm),
            post_attention_norm=self.block_norm(weights, i, self.post_attention_norm),
            post_ffw_norm=self.block_norm(weights, i, self.post_ffw_norm),
            parallel=self.parallel or self.hparams.parallel,
            scale=self.hparams.residual_scale,
        )

    def block_norm(self, weights: Weights, i: int, name: str) -> Norm | None:
        """One of a block's norms; None where the family has none."""
        return weights.norm(f"blk.{i}.{name}", self.hparams.n_embd, self.norm) if name else None

    def attention_layer(self, weights: Weights, i: int, h: Attention, n_ctx: int) -> Any:
        """The attention of block i, by its record."""
        name, width = f"blk.{i}", self.hparams.n_embd
        if h is None:
            return None
        if isinstance(h, DeltaNet):
            make = attentions.kimi_delta if h.by_channel else attentions.delta_net
            return make(weights, name, width, h, i)
        if isinstance(h, Mamba):
            return attentions.mamba(weights, name, width, h, i)
        if isinstance(h, ShortConv):
            return attentions.short_conv(weights, name, width, h, i)
        if isinstance(h, Both):
            raise AssertionError("the family makes both parts")
        turns = not isinstance(h, Latent) or h.turns
        rotation = self.rotation(weights, i, h.rope if turns else None, n_ctx)
        if isinstance(h, Latent):
            index = None if h.indexer is None else self.indexer(weights, i, h, n_ctx)
            return attentions.latent(weights, name, width, h, i, rotation, index)
        return attentions.grouped(weights, name, width, h, i, rotation, self.norm)

    def indexer(self, weights: Weights, i: int, h: Latent, n_ctx: int) -> Any:
        """What chooses the positions that block i sees."""
        assert h.indexer is not None
        if h.indexer.source is not None:
            return SharedChoice(self._choices[h.indexer.source])
        turned = self.rotation(weights, i, replace(h.rope, interleaved=h.indexer.interleaved), n_ctx)
        choice = self._choices[i] = Choice()
        return attentions.indexer(weights, f"blk.{i}", self.hparams.n_embd, h, i, turned, choice)

    def feed_forward_layer(self, weights: Weights, i: int, h: FeedForward) -> Any:
        """The feed-forward part of block i, by its record."""
        name, width = f"blk.{i}", self.hparams.n_embd
        if isinstance(h, Mixture) and h.dense_width and f"{name}.ffn_gate_inp.weight" not in weights:
            h = Dense(h.dense_width, h.activation, h.gated)
        if isinstance(h, Mixture):
            return feed_forwards.mixture(weights, name, width, h)
        return None if h is None else feed_forwards.dense(weights, name, width, h)

    def new_cache(self, slots: int, context: int, keys: KVType | None = None, values: KVType | None = None) -> Cache:
        """Room for `slots` texts of `context` tokens. keys: None = what the kernels like; values: None = as keys."""
        keys = keys or self.kernels.cache_type
        types = (keys, values or keys)
        layers = zip(self.hparams.layers, self.places[1:], strict=False)
        layers = list(layers)
        stores = [store_for(layer.attention, place.kernels, slots, context, types) for layer, place in layers]
        stores += [
            store_for(layer.attention.mamba, place.kernels, slots, context, types)
            for layer, place in layers
            if isinstance(layer.attention, Both)
        ]
        return Cache(stores, slots, context)

    # -- a pass -------------------------------------------------------------------------------------------------------

    @property
    def pass_rows(self) -> int | None:
        """As `Kernels.pass_rows`, of the strictest place."""
        return min((place.kernels.pass_rows for place in self.places if place.kernels.pass_rows), default=None)

    @property
    def widest(self) -> int:
        """As `Kernels.widest`, of the strictest place."""
        return min(place.kernels.widest for place in self.places)

    @property
    def prompt_rows(self) -> int:
        """As `Kernels.prompt_rows`, of the strictest place."""
        return min(place.kernels.prompt_rows for place in self.places)

    def enter(self, ops: Operations) -> Value:
        """-> [N, D]: what goes into the first block."""
        return self.token_embd(ops)

    def resume(self, ops: Operations) -> Value:
        """-> [N, D]: what goes into the first block of a later place."""
        return ops.resume(self.hparams.n_embd)

    def leave(self, ops: Operations, x: Value) -> Value:
        """x, the input of a block, as the rows that go to the next place."""
        return x

    def run_blocks(self, ops: Operations, x: Value, first: int, last: int) -> Value:
        """x, the input of block `first` -> the input of block `last`; the end of the network is behind the last one."""
        for i in range(first, last):
            ops.mark(i, x)
            x = self.blk[i](x, ops)
        return x

    def finish(self, ops: Operations, x: Value) -> None:
        """x, the last block's output, becomes logits."""
        h = self.hparams
        ops.mark(h.n_layer, x)
        x = self.output_norm(x, ops)
        ops.mark(NORMED, x)
        logits = self.output(ops.select(x), ops)
        if h.logit_scale != 1.0:
            logits = ops.scale(logits, h.logit_scale)
        if h.logit_softcap:
            logits = ops.softcap(logits, h.logit_softcap)
        ops.finish(logits)

    def forward(self, batch: Batch, cache: Cache, features: Sequence[int] = ()) -> Output:
        """Evaluate N rows, leaving what they are remembered by in the cache (provisional until committed).

        No host synchronisation, no branch on data: shapes depend on N, W and batch.index.blocks only. Raises
        LlamaspecError for a feature that does not exist.
        """
        self.check_features(features)
        return run(self.segments, batch, cache.stores, features)

    def check_features(self, features: Sequence[int]) -> None:
        """Raises LlamaspecError for a number that is no feature of this model."""
        n_layer = self.hparams.n_layer
        for feature in features:
            if feature != NORMED and not 0 <= feature <= n_layer:
                raise LlamaspecError(
                    f"the model has no feature {feature}: it has {n_layer} layers",
                    hint="the draft head was trained for another model",
                )
