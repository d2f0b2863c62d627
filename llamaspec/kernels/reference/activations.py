"""Activations and their gates in torch (spec/models.md 1.5)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..records import Activation

FUNCTIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "silu": F.silu,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_erf": F.gelu,
    "sigmoid": torch.sigmoid,
    "relu2": lambda x: F.relu(x).square(),
    "relu": F.relu,
    "softplus": F.softplus,
    "exp_tail": lambda x: torch.expm1(x.clamp(max=0)) - x.clamp(max=0),
}
SHARPNESS = 1.702
"""Of gpt-oss's sigmoid."""


def gated(activation: Activation, gate: Tensor, up: Tensor | None, limit: float) -> Tensor:
    """gate, up [N, F] -> activation(gate) * up, clamped as `Operations.gate` says."""
    if activation == "swiglu_oai":
        assert up is not None
        gate, bounded = gate.clamp(max=limit), up.clamp(-limit, limit)
        return gate * torch.sigmoid(SHARPNESS * gate) * (bounded + 1.0)
    active = FUNCTIONS[activation](gate)
    if limit:
        active = active.clamp(max=limit)
        up = None if up is None else up.clamp(-limit, limit)
    return active if up is None else active * up
