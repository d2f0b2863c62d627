"""Mixture of experts: a router picks a few feed-forward parts per row (spec/models.md 1.4)."""

from dataclasses import dataclass

from ..kernels.protocol import Experts, Operations, Value, Vector
from ..kernels.records import Routing
from .linear import Linear
from .mlp import MLP


@dataclass(frozen=True)
class SharedExpert:
    """A part that every row uses. gate: its result is multiplied by the sigmoid of gate x, a number per row."""

    part: MLP
    gate: Linear | None

    def __call__(self, x: Value, ops: Operations, residual: Value) -> Value:
        """x, residual [N, D] -> [N, D]."""
        if self.gate is None:
            return self.part(x, ops, residual)
        return ops.add(residual, ops.gate("sigmoid", self.gate(x, ops), self.part(x, ops)))


class MoE:
    """A row adds up its experts in the order of their numbers, so its bits do not depend on where others are routed.

    bias: of the experts' scores, for the choice only. latent: projections into and out of what the experts work in.
    """

    def __init__(
        self,
        router: Linear,
        bias: Vector,
        routing: Routing,
        experts: Experts,
        shared: SharedExpert | None = None,
        latent: tuple[Linear, Linear] | None = None,
    ) -> None:
        self.router, self.bias, self.routing, self.experts, self.shared = router, bias, routing, experts, shared
        self.latent = latent

    def __call__(self, x: Value, ops: Operations, residual: Value = None) -> Value:
        """x, residual [N, D] -> [N, D]."""
        chosen, weights = ops.route(self.router(x, ops), self.bias, self.routing)
        into = x if self.latent is None else self.latent[0](x, ops)
        y = ops.experts(self.experts, into, chosen, weights)
        y = y if self.latent is None else self.latent[1](y, ops)
        y = y if residual is None else ops.add(residual, y)
        return y if self.shared is None else self.shared(x, ops, y)
