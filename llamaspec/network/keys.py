"""Reading hyper-parameters: the keys that most architectures share (spec/models.md 1.1)."""

from dataclasses import replace
from functools import cached_property
from typing import Literal

from ..kernels.records import Gating, Routing
from ..layers.rope import Rope, Scaling
from ..weights.metadata import Metadata
from .hparams import Mamba, refuse

GATING_NUMBERS: dict[int, Gating] = {1: "softmax", 2: "sigmoid", 3: "chosen_softmax", 4: "sqrt_softplus"}
"""`expert_gating_func`, as llama.cpp numbers it."""
MOST_LAYERS = 4096
Sections = Literal["", "apart", "woven"]
"""How a rotation is cut for images (M-RoPE), where a family reads it: one section behind another, or pair by pair."""


class Keys:
    """Metadata, overrides included, with the counts that per-layer keys are read by."""

    def __init__(self, meta: Metadata) -> None:
        self.meta = meta
        self.n_embd = meta.int("embedding_length", low=1)
        blocks = meta.int("block_count", low=1, high=MOST_LAYERS)
        self.n_extra = meta.int("nextn_predict_layers", default=0)
        self.n_layer = blocks - self.n_extra
        if self.n_layer < 1:
            raise refuse("nextn_predict_layers", self.n_extra, f"of {blocks} blocks")
        self.blocks = blocks

    @cached_property
    def heads(self) -> tuple[int, ...]:
        """Query heads of every block."""
        return self.meta.ints("attention.head_count", self.blocks)

    @cached_property
    def kv_heads(self) -> tuple[int, ...]:
        """Key and value heads of every block; 0 where a block has no attention."""
        found = self.meta.ints("attention.head_count_kv", self.blocks, default=None)
        return self.heads if found is None else found

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Feed-forward widths of every block."""
        return self.meta.ints("feed_forward_length", self.blocks)

    @cached_property
    def key(self) -> int:
        """Width of a head's key."""
        return self.meta.int("attention.key_length", default=self.n_embd // max(self.heads[0], 1))

    @cached_property
    def value(self) -> int:
        """Width of a head's value."""
        return self.meta.int("attention.value_length", default=self.n_embd // max(self.heads[0], 1))

    @cached_property
    def n_rot(self) -> int:
        """How many values of a head turn."""
        return self.meta.int("rope.dimension_count", default=self.key)

    def eps(self, norm: str) -> float:
        """Of "rms" or "layer" norms."""
        return self.meta.float(
            "attention.layer_norm_epsilon" if norm == "layer" else "attention.layer_norm_rms_epsilon"
        )

    @cached_property
    def scaling(self) -> Scaling:
        """How positions are stretched."""
        meta = self.meta
        kind = meta.str("rope.scaling.type", default="linear")
        factor = meta.float("rope.scaling.factor", default=0.0) or meta.float("rope.scale_linear", default=0.0)
        return Scaling(
            kind=kind,
            factor=factor if factor != 0.0 and kind != "none" else 1.0,
            original_context=meta.int("rope.scaling.original_context_length", default=meta.int("context_length")),
            attn_factor=meta.float("rope.scaling.attn_factor", default=1.0),
        )

    def rope(self, interleaved: bool, sections: Sections = "") -> Rope:
        """The model's rotation."""
        base, still = self.meta.float("rope.freq_base", default=10000.0), self._still(sections) if sections else ()
        return Rope(self.n_rot, base, interleaved, self.scaling, still=still)

    def _still(self, sections: Sections) -> tuple[int, ...]:
        """Pairs that belong to no section of text, image height or image width: llama.cpp does not turn them."""
        sizes = (*self.meta.ints("rope.dimension_sections", None, ()), 0, 0, 0)[:4]
        total = sum(sizes)
        if not total:
            return ()
        numbers = [pair % total for pair in range(self.n_rot // 2)]
        if sections == "woven":
            turns = [number < 3 * sizes[number % 3] for number in numbers]
        else:
            turns = [number < sum(sizes[:3]) for number in numbers]
        return tuple(pair for pair, turn in enumerate(turns) if not turn)

    def sliding_rope(self, rope: Rope | None) -> Rope | None:
        """Of sliding layers that scale as the others do: the model's, unless the file has another base for them."""
        base = self.meta.float("rope.freq_base_swa", default=0.0)
        return replace(rope, base=base) if rope is not None and base else rope

    @cached_property
    def sections(self) -> bool:
        """Whether the rotation has sections (for images): then pairs are (j, j + n_rot/2) whatever the family's."""
        return any(self.meta.ints("rope.dimension_sections", None, ()))

    def sliding(self, every: int) -> tuple[bool, ...]:
        """Whether each block slides: all but every n-th, unless the file says otherwise (spec/models.md 1.3)."""
        key = "attention.sliding_window_pattern"
        pattern = self.meta.get(key)
        if pattern is not None and not isinstance(pattern, int):
            return self.meta.bools(key, self.blocks)
        every = self.meta.int(key, default=every)
        return tuple(every == 0 or (layer + 1) % every != 0 for layer in range(self.blocks))

    def mamba(self) -> Mamba:
        """A Mamba-2 layer."""
        meta = self.meta
        inner, heads = meta.int("ssm.inner_size"), meta.int("ssm.time_step_rank")
        return Mamba(inner, heads, meta.int("ssm.state_size"), meta.int("ssm.group_count"), meta.int("ssm.conv_kernel"))

    @cached_property
    def n_expert(self) -> int:
        """Experts of a mixture; 0 = none."""
        return self.meta.int("expert_count", default=0)

    def expert_width(self, layer: int, divided: bool = False) -> int:
        """Feed-forward width of one expert. divided: without the key it is its share of the layer's width."""
        width = self.meta.ints("expert_feed_forward_length", self.blocks, default=None)
        if width is not None and width[layer]:
            return width[layer]
        used = self.meta.ints("expert_used_count", self.blocks, (0,) * self.blocks)[layer]
        return self.widths[layer] // max(used, 1) if divided else self.widths[layer]

    def shared_width(self, layer: int, divided: bool = False) -> int:
        """Feed-forward width of the part that every row uses, where a file counts it in experts."""
        return self.expert_width(layer, divided) * self.meta.int("expert_shared_count", default=0)

    def leading(self, layer: int) -> bool:
        """Whether a layer of a mixture is dense because it is one of the first."""
        return layer < self.meta.int("leading_dense_block_count", default=0)

    def routing(self, gating: Gating = "softmax", normalize: bool = True, layer: int = 0) -> Routing:
        """The file's keys, with an architecture's defaults where it has none."""
        meta = self.meta
        number = meta.int("expert_gating_func", default=0)
        if number not in (0, *GATING_NUMBERS):
            raise refuse("expert_gating_func", number)
        return Routing(
            used=meta.ints("expert_used_count", self.blocks, (0,) * self.blocks)[layer],
            gating=GATING_NUMBERS.get(number, gating),
            normalize=meta.bool("expert_weights_norm", default=normalize),
            scale=meta.float("expert_weights_scale", default=1.0) or 1.0,
            groups=max(1, meta.int("expert_group_count", default=1)),
            groups_used=max(1, meta.int("expert_group_used_count", default=1)),
        )
