"""Variants of attention and routing as data: frozen arguments that mean the same on every back end."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

Activation = Literal[
    "none", "silu", "gelu", "gelu_erf", "sigmoid", "relu2", "swiglu_oai", "relu", "softplus", "exp_tail"
]
"""gelu: the tanh form. relu2: relu squared. exp_tail: e^z - 1 - z, z = min(x, 0), a part of xIELU.
swiglu_oai (gpt-oss): g = min(g, limit), u = clamp(u, +-limit), g sigmoid(1.702 g) (u + 1)."""
NormKind = Literal["rms", "layer", "l2"]
"""rms: x / sqrt(mean x^2 + eps). layer: of x minus its mean. l2: x / sqrt(sum x^2 + eps)."""
Gating = Literal["softmax", "sigmoid", "chosen_softmax", "sqrt_softplus"]
"""Of a router's logits; chosen_softmax: over those of the chosen experts alone."""

ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
NORM_KINDS: tuple[NormKind, ...] = ("rms", "layer", "l2")
GATINGS: tuple[Gating, ...] = ("softmax", "sigmoid", "chosen_softmax", "sqrt_softplus")


@dataclass(frozen=True)
class Attend:
    """How a layer attends (spec/models.md 1.3).

    heads share kv_heads in consecutive groups. key, value: widths of a head. scale multiplies q. window: only the last
    so many positions are seen (0: all); chunked: only those of the row's own chunk of so many (Llama 4). softcap:
    scores become softcap * tanh(score / softcap) (0: they do not).
    sinks: a vector [heads] of logits that have a place in the softmax but no value, or None.
    """

    heads: int
    kv_heads: int
    key: int
    value: int
    scale: float
    window: int = 0
    softcap: float = 0.0
    sinks: Any = None
    chunked: bool = False


@dataclass(frozen=True)
class Temper:
    """How queries grow with their position: times 1 + scale log(1 + floor((position + offset) / length))."""

    scale: float
    length: int
    offset: int = 0


@dataclass(frozen=True)
class Index:
    """Which positions a row attends to: the `used` best by the sum over heads of weight * max(0, q . key).

    size: of a key, which all heads share.
    """

    heads: int
    size: int
    used: int


@dataclass(frozen=True)
class Routing:
    """Which experts a row goes to, and with which weights (spec/models.md 1.4).

    used: of all. groups, groups_used: only experts of the best groups compete (1: no groups). normalize: weights of the
    chosen sum to 1. scale: of the weights.
    """

    used: int
    gating: Gating = "softmax"
    normalize: bool = True
    scale: float = 1.0
    groups: int = 1
    groups_used: int = 1


@dataclass(frozen=True)
class Delta:
    """A gated delta rule (spec/models.md 2.3): `heads` states of size x value, whose keys come from key_heads heads.

    tiled: value head i takes key head i % key_heads, else i // (heads / key_heads). scale multiplies q. corrected: what
    the state already says of a key is taken off its value; else the rule is plain linear attention (Mamba-2).
    by_channel: decay is a number for each of the `size` parts of a key, else one for a head.
    """

    heads: int
    key_heads: int
    size: int
    value: int
    tiled: bool
    scale: float
    corrected: bool = True
    by_channel: bool = False

    @property
    def decays(self) -> int:
        """Numbers that a row forgets by."""
        return self.heads * (self.size if self.by_channel else 1)
