"""Root mean square normalisation (Zhang and Sennrich 2019)."""

from torch import Tensor

from ..kernels.dispatch import Kernels


class RMSNorm:
    """x / sqrt(mean(x^2) + eps) * weight over the last dimension."""

    def __init__(self, weight: Tensor, eps: float, kernels: Kernels) -> None:
        self.weight = weight
        self.eps = eps
        self.kernels = kernels

    def __call__(self, x: Tensor) -> Tensor:
        """x [N, D] or [N, H, head] -> same."""
        return self.kernels.rms_norm(x, self.weight, self.eps)
