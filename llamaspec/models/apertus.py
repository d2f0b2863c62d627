"""Apertus: a feed-forward part without a gate whose activation has numbers of its own in every layer (xIELU)."""

from dataclasses import dataclass
from math import exp, log1p
from typing import Any

from ..kernels.protocol import Operations, Value
from ..layers.linear import Linear
from ..network.decoder import Model as Decoder
from ..network.hparams import Dense, FeedForward, refuse
from ..network.keys import Keys
from ..network.weights import Weights


class Model(Decoder):
    """Queries and keys are normalised per head."""

    head_norm = "head"

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Dense:
        """alpha_p, alpha_n and beta of the layer."""
        alpha_p, alpha_n, beta = (
            keys.meta.floats(f"xielu.{name}", keys.n_layer)[i] for name in ("alpha_p", "alpha_n", "beta")
        )
        if max(alpha_p, alpha_n) > 80:
            raise refuse("xielu.alpha_p", alpha_p)
        numbers = (softplus(alpha_p), beta + softplus(alpha_n), beta)
        return Dense(keys.widths[i], gated=False, numbers=numbers)

    def feed_forward_layer(self, weights: Weights, i: int, h: FeedForward) -> Any:
        """down(xIELU(up x))."""
        assert isinstance(h, Dense)
        name, n_embd = f"blk.{i}", self.hparams.n_embd
        up = weights.linear(f"{name}.ffn_up", h.width, n_embd)
        return XieluMLP(up, weights.linear(f"{name}.ffn_down", n_embd, h.width), *h.numbers)


def softplus(x: float) -> float:
    """log(1 + e^x)."""
    return max(x, 0.0) + log1p(exp(-abs(x)))


@dataclass(frozen=True)
class XieluMLP:
    """xIELU (Huang and Schlag 2024): beta x + alpha_p x^2 above 0, beta x + alpha_n (e^x - 1 - x) below."""

    up: Linear
    down: Linear
    alpha_p: float
    alpha_n: float
    beta: float

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> [N, D]."""
        inner = self.up(x, ops)
        above, below = ops.gate("relu2", inner), ops.gate("exp_tail", inner)
        y = ops.add(ops.scale(above, self.alpha_p), ops.scale(below, self.alpha_n))
        return self.down(ops.add(y, ops.scale(inner, self.beta)), ops, residual)
