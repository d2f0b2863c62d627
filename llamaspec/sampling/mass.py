"""Probabilities in fixed point: integer sums have no order, so a result cannot depend on the width or the device.

A row has the same probabilities whether its ruled-out tokens are columns of -inf or gone, in whatever order.
"""

from dataclasses import dataclass

from ..arrays import Array, double, namespace

ONE = 1 << 40
"""The weight of the likeliest token. 2^20 such weights fit a sum; a weight is off by at most 5e-13."""


@dataclass(frozen=True)
class Mass:
    """The softmax of a row: weights [n, k] int64 (0 where ruled out) and their total [n, 1] int64."""

    weights: Array
    total: Array
    gaps: Array
    """[n, k] float64: logit minus the row's highest, <= 0."""

    @property
    def probs(self) -> Array:
        """[n, k] float64."""
        return double(self.weights) / double(self.total)

    @property
    def surprise(self) -> Array:
        """[n, k] float64: -log p in nats, inf where ruled out."""
        return self.log_total - self.gaps

    @property
    def log_total(self) -> Array:
        """[n, 1] float64: log of the sum of exp(gap)."""
        return namespace(self.total).log(double(self.total) / ONE)

    @property
    def entropy(self) -> Array:
        """[n, 1] float64, in nats: log Z + sum p (top - logit)."""
        xp = namespace(self.gaps)
        lost = fixed(xp.where(xp.isinf(self.gaps), 0.0, -self.gaps * xp.exp(self.gaps)))
        return self.log_total + double(xp.sum(lost, axis=-1, keepdims=True)) / double(self.total)


def mass(logits: Array) -> Mass:
    """logits [n, k] float32, -inf where ruled out, -> the probabilities of each row."""
    xp = namespace(logits)
    gaps = double(logits) - double(xp.max(logits, axis=-1, keepdims=True))
    weights = fixed(xp.exp(gaps))
    return Mass(weights, xp.sum(weights, axis=-1, keepdims=True), gaps)


def fixed(x: Array) -> Array:
    """x [...] float64, between -1 and 1 -> [...] int64 in units of 1 / ONE."""
    xp = namespace(x)
    return xp.astype(xp.round(x * ONE), xp.int64)
