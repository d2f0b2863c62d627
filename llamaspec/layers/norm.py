"""Normalisation: root mean square (Zhang and Sennrich 2019), layer norm (Ba et al. 2016), or to length 1."""

from dataclasses import dataclass

from ..kernels.protocol import Operations, Value, Vector
from ..kernels.records import NormKind


@dataclass(frozen=True)
class Norm:
    """weight and bias over the last dimension, or None."""

    kind: NormKind
    weight: Vector
    bias: Vector
    eps: float

    def __call__(self, x: Value, ops: Operations, groups: int = 1) -> Value:
        """x [N, D] -> same; each of `groups` parts of a row by itself."""
        return ops.norm(x, self.kind, self.weight, self.bias, self.eps, groups)
