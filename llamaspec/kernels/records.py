"""Variants of attention and routing as data: frozen arguments that mean the same on every back end."""

from dataclasses import dataclass
from typing import Any, Literal

Activation = Literal["none", "silu", "gelu", "gelu_erf", "sigmoid", "relu2", "swiglu_oai"]
"""gelu: the tanh form. swiglu_oai (gpt-oss): g = min(g, limit), u = clamp(u, +-limit), g sigmoid(1.702 g) (u + 1)."""
NormKind = Literal["rms", "layer", "l2"]
"""rms: x / sqrt(mean x^2 + eps). layer: of x minus its mean. l2: x / sqrt(sum x^2 + eps)."""
Gating = Literal["softmax", "sigmoid", "chosen_softmax", "sqrt_softplus"]
"""Of a router's logits; chosen_softmax: over those of the chosen experts alone."""

ACTIVATIONS: tuple[Activation, ...] = ("none", "silu", "gelu", "gelu_erf", "sigmoid", "relu2", "swiglu_oai")
NORM_KINDS: tuple[NormKind, ...] = ("rms", "layer", "l2")
GATINGS: tuple[Gating, ...] = ("softmax", "sigmoid", "chosen_softmax", "sqrt_softplus")


@dataclass(frozen=True)
class Attend:
    """How a layer attends (spec/models.md 1.3).

    heads share kv_heads in consecutive groups. key, value: widths of a head. scale multiplies q. window: only the last
    so many positions are seen (0: all). softcap: scores become softcap * tanh(score / softcap) (0: they do not).
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
    """A gated delta rule (spec/models.md 2.3): `heads` states of size x size, whose keys come from key_heads heads.

    tiled: value head i takes key head i % key_heads, else i // (heads / key_heads). scale multiplies q.
    """

    heads: int
    key_heads: int
    size: int
    tiled: bool
    scale: float
