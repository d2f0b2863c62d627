"""The numbers that describe a network: a record per layer, each of which refuses what no network can have."""

from dataclasses import dataclass
from typing import Literal

from ..errors import LlamaspecError
from ..kernels.records import Activation, Routing, Temper
from ..layers.rope import Rope

HeadNorm = Literal["", "head", "whole", "if present", "unit"]
"""Of queries and keys, see Heads."""


def refuse(key: str, value: object, why: str = "") -> LlamaspecError:
    """The error for a hyper-parameter that makes no sense; key without the architecture."""
    return LlamaspecError(
        f"the model's metadata makes no sense: {key} {value}{why and ', ' + why}",
        hint="the file is damaged or was converted wrongly; download it again, or set the key with --override-kv",
    )


def positive(**numbers: int) -> None:
    """Raises LlamaspecError naming the first key that is not at least 1; "__" in a name stands for a dot."""
    for key, value in numbers.items():
        if value < 1:
            raise refuse(key.replace("__", "."), value)


@dataclass(frozen=True)
class Heads:
    """Grouped-query attention. key, value: widths of a head. rope None: no rotation. window 0: all positions; chunked:
    the window is the chunk of that width that a position lies in.

    norm: of queries and keys: per head, over the whole vector, per head where the file has weights for it, per head
    without weights, or none; before the rotation, or behind it (norm_last). gated: the query's projection gives a gate
    for the result as well. sinks: a logit per head that has no value. softcap: of scores. temper: how queries grow with
    their position. value_norm: values are normalised too, without weights. value_scale: of the result. source: the
    layer whose keys and values are read instead of own ones.
    """

    heads: int
    kv_heads: int
    key: int
    value: int
    scale: float
    rope: Rope | None = None
    window: int = 0
    chunked: bool = False
    softcap: float = 0.0
    sinks: bool = False
    norm: HeadNorm = ""
    norm_last: bool = False
    gated: bool = False
    temper: Temper | None = None
    value_norm: bool = False
    value_scale: float = 1.0
    source: int | None = None

    def __post_init__(self) -> None:
        positive(attention__head_count=self.heads, attention__value_length=self.value)
        if self.kv_heads < 1 or self.heads % self.kv_heads:
            raise refuse("attention.head_count_kv", self.kv_heads, f"with {self.heads} heads")
        if self.key < 2:
            raise refuse("attention.key_length", self.key)
        if self.window < 0:
            raise refuse("attention.sliding_window", self.window)
        if self.rope is not None and self.rope.width > self.key:
            raise refuse("rope.dimension_count", self.rope.width, f"with heads of {self.key}")
        if not self.scale > 0 or self.softcap < 0:
            raise refuse("attention.scale", self.scale)
        if self.temper is not None and self.temper.length < 1:
            raise refuse("rope.scaling.original_context_length", self.temper.length)
        if self.source is not None and self.source < 0:
            raise refuse("attention.shared_kv_layers", "leaves no layer with keys and values")


@dataclass(frozen=True)
class Indexer:
    """Which positions latent attention sees (DeepSeek V3.2): the `used` best by `heads` queries of `size` values.

    interleaved: of its rotation. source: the layer whose choice is taken over instead (GLM-5).
    """

    heads: int
    size: int
    used: int
    interleaved: bool = False
    source: int | None = None

    def __post_init__(self) -> None:
        positive(
            attention__indexer__head_count=self.heads, attention__indexer__key_length=self.size,
            attention__indexer__top_k=self.used,
        )  # fmt: skip


@dataclass(frozen=True)
class Latent:
    """Multi-head latent attention (DeepSeek 2024): all heads share one key [c | rope], whose first c are the value.

    q_rank: of the query's two projections, 0 = one. c: width of the latent. nope: values of a head without rotation.
    value: of a head's result. scale: of scores. temper: how queries grow with their position. turns: whether the
    last values of a key turn; else they are just there (Kimi Linear). indexer: None: all positions are seen.
    """

    heads: int
    q_rank: int
    c: int
    nope: int
    value: int
    scale: float
    rope: Rope
    temper: Temper | None = None
    turns: bool = True
    indexer: Indexer | None = None

    def __post_init__(self) -> None:
        positive(
            attention__head_count=self.heads, attention__kv_lora_rank=self.c,
            attention__key_length_mla=self.nope, attention__value_length_mla=self.value,
        )  # fmt: skip
        if self.temper is not None and self.temper.length < 1:
            raise refuse("attention.temperature_length", self.temper.length)
        if self.indexer is not None and self.indexer.size < self.rope.width:
            raise refuse("attention.indexer.key_length", self.indexer.size, f"with a rotation of {self.rope.width}")
        if self.indexer is not None and not self.q_rank:
            raise refuse("attention.q_lora_rank", 0, "with an indexer")
        if not self.scale > 0:
            raise refuse("rope.scaling.yarn_log_multiplier", self.scale)


@dataclass(frozen=True)
class DeltaNet:
    """Gated delta net (Yang et al. 2024): a short convolution, then `heads` states of size x size.

    tiled: value head i takes key head i % key_heads, else i // (heads / key_heads). by_channel: each part of a key
    fades at a rate of its own (Kimi Linear).
    """

    heads: int
    key_heads: int
    size: int
    kernel: int
    tiled: bool
    by_channel: bool = False

    def __post_init__(self) -> None:
        positive(ssm__time_step_rank=self.heads, ssm__state_size=self.size)
        if self.key_heads < 1 or self.heads % self.key_heads:
            raise refuse("ssm.group_count", self.key_heads, f"with {self.heads} heads")
        if self.kernel < 2:
            raise refuse("ssm.conv_kernel", self.kernel)

    @property
    def channels(self) -> int:
        """Of the convolution: queries, keys and values."""
        return (2 * self.key_heads + self.heads) * self.size


@dataclass(frozen=True)
class Mamba:
    """Mamba-2 (Dao and Gu 2024): a short convolution, then `heads` states of size x inner / heads.

    inner: width of what goes through them. groups: of heads that share an input and an output vector.
    """

    inner: int
    heads: int
    size: int
    groups: int
    kernel: int

    def __post_init__(self) -> None:
        positive(ssm__time_step_rank=self.heads, ssm__state_size=self.size, ssm__inner_size=self.inner)
        if self.inner % self.heads:
            raise refuse("ssm.inner_size", self.inner, f"with {self.heads} heads")
        if self.groups < 1 or self.heads % self.groups or self.inner % self.groups:
            raise refuse("ssm.group_count", self.groups, f"with {self.heads} heads")
        if self.kernel < 2:
            raise refuse("ssm.conv_kernel", self.kernel)

    @property
    def channels(self) -> int:
        """Of the convolution: what goes through, input and output vectors."""
        return self.inner + 2 * self.groups * self.size


@dataclass(frozen=True)
class Both:
    """Attention and Mamba-2 side by side: both read the same rows, and both add to them (Falcon-H1)."""

    heads: Heads
    mamba: Mamba


@dataclass(frozen=True)
class ShortConv:
    """A gated causal convolution over the last `kernel` positions (LFM2). channels: width of a row."""

    channels: int
    kernel: int

    def __post_init__(self) -> None:
        if self.kernel < 2:
            raise refuse("shortconv.l_cache", self.kernel)


@dataclass(frozen=True)
class Dense:
    """A feed-forward part of one width. gated: down(activation(gate x) * up x), else down(activation(up x)).

    numbers: of an activation that has some (Apertus).
    """

    width: int
    activation: Activation = "silu"
    gated: bool = True
    numbers: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        positive(feed_forward_length=self.width)


@dataclass(frozen=True)
class Mixture:
    """Experts of which each row uses a few. shared: width of the part that every row uses, 0 = none.

    shared_gate: that part's result is multiplied by sigmoid of a number per row. limit: of activations, 0 = none.
    gated: as of Dense. weigh_input: an expert's weight multiplies what it reads instead of its result. latent: width of
    what the experts read and give, where that is not a row (Nemotron 3); 0 = it is. dense_width: of the part that a
    layer has whose tensors are not those of experts (MiMo-V2); 0 = there is no such layer.
    """

    count: int
    width: int
    routing: Routing
    activation: Activation = "silu"
    limit: float = 0.0
    shared: int = 0
    shared_gate: bool = False
    gated: bool = True
    weigh_input: bool = False
    latent: int = 0
    dense_width: int = 0

    def __post_init__(self) -> None:
        how = self.routing
        positive(expert_count=self.count, expert_feed_forward_length=self.width)
        if not 0 < how.used <= self.count:
            raise refuse("expert_used_count", how.used, f"with {self.count} experts")
        if how.groups < 1 or self.count % how.groups or (how.groups > 1 and self.count // how.groups < 2):
            raise refuse("expert_group_count", how.groups, f"with {self.count} experts")
        if not 0 < how.groups_used <= how.groups or how.used > self.count // how.groups * how.groups_used:
            raise refuse("expert_group_used_count", how.groups_used, f"with {how.groups} groups")
        if self.shared < 0:
            raise refuse("expert_shared_count", self.shared)


Attention = Heads | Latent | DeltaNet | Mamba | Both | ShortConv | None
FeedForward = Dense | Mixture | None


@dataclass(frozen=True)
class Layer:
    """One block of a network; None: it lacks that part."""

    attention: Attention
    feed_forward: FeedForward


@dataclass(frozen=True)
class HParams:
    """What the floors above need to know. layers: executed ones; extra: of blocks for multi-token prediction (NextN).

    embedding_scale multiplies what tokens are looked up as, residual_scale what a block's parts add to its input,
    logit_scale the logits, which then become softcap * tanh(logit / softcap) where logit_softcap is not 0.
    parallel: whether both parts of a block read the same rows, where a file says so (GPT-NeoX). layer_embedding: width
    of what each layer gets of the token by itself, 0 = nothing (Gemma 4).
    """

    architecture: str
    n_vocab: int
    n_embd: int
    n_ctx_train: int
    eps: float
    layers: tuple[Layer, ...]
    extra: tuple[Layer, ...] = ()
    embedding_scale: float = 1.0
    residual_scale: float = 1.0
    logit_scale: float = 1.0
    logit_softcap: float = 0.0
    layer_embedding: int = 0
    parallel: bool = False

    def __post_init__(self) -> None:
        positive(embedding_length=self.n_embd, context_length=self.n_ctx_train)
        if not self.layers:
            raise refuse("block_count", 0)
        if not 0 <= self.eps < 1:
            raise refuse("attention.layer_norm_rms_epsilon", self.eps)

    @property
    def n_layer(self) -> int:
        """Layers that a pass executes."""
        return len(self.layers)
