"""Probabilities in fixed point: integer sums have no order, so a result cannot depend on the width or the device.

A row has the same probabilities whether its ruled-out tokens are columns of -inf or gone, in whatever order.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

ONE = 1 << 40
"""The weight of the likeliest token. 2^20 such weights fit a sum; a weight is off by at most 5e-13."""


@dataclass(frozen=True)
class Mass:
    """The softmax of a row: weights [n, k] int64 (0 where ruled out) and their total [n, 1] int64."""

    weights: Tensor
    total: Tensor
    gaps: Tensor
    """[n, k] float64: logit minus the row's highest, <= 0."""

    @property
    def probs(self) -> Tensor:
        """[n, k] float64."""
        return self.weights.double() / self.total.double()

    @property
    def surprise(self) -> Tensor:
        """[n, k] float64: -log p in nats, inf where ruled out."""
        return self.log_total - self.gaps

    @property
    def log_total(self) -> Tensor:
        """[n, 1] float64: log of the sum of exp(gap)."""
        return (self.total.double() / ONE).log()

    @property
    def entropy(self) -> Tensor:
        """[n, 1] float64, in nats: log Z + sum p (top - logit)."""
        lost = fixed(torch.where(self.gaps.isinf(), 0.0, -self.gaps * self.gaps.exp())).sum(-1, keepdim=True)
        return self.log_total + lost.double() / self.total.double()


def mass(logits: Tensor) -> Mass:
    """logits [n, k] float32, -inf where ruled out, -> the probabilities of each row."""
    gaps = logits.double() - logits.amax(-1, keepdim=True).double()
    weights = fixed(gaps.exp())
    return Mass(weights, weights.sum(-1, keepdim=True), gaps)


def fixed(x: Tensor) -> Tensor:
    """x [...] float64, between -1 and 1 -> [...] int64 in units of 1 / ONE."""
    return (x * ONE).round().long()
