"""Rotary position embedding and its scalings (spec/models.md 1.2)."""

from dataclasses import dataclass
from math import ceil, floor, log, pi

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scaling:
    """How positions are stretched. kind: "none", "linear", "yarn" or "longrope"."""

    kind: str = "none"
    factor: float = 1.0
    original_context: int = 0
    attn_factor: float = 1.0
    beta_fast: float = 32.0
    beta_slow: float = 1.0


class Rope:
    """cos and sin of every rotated pair at given positions, computed in float64.

    width: how many values of a head are rotated. base: of the frequencies. divisors [width / 2]: the file's factor
    tensor (Llama 3, LongRoPE), if any. interleaved: pairs are (2j, 2j+1), else (j, j + width / 2).
    """

    def __init__(
        self,
        width: int,
        base: float,
        interleaved: bool,
        device: torch.device,
        scaling: Scaling | None = None,
        divisors: Tensor | None = None,
    ) -> None:
        scaling = scaling or Scaling()
        self.interleaved = interleaved
        pairs = torch.arange(width // 2, dtype=torch.float64)
        frequencies = base ** (-2.0 * pairs / width)
        if divisors is not None:
            frequencies = frequencies / divisors.to("cpu", torch.float64)
        self.amplitude = scaling.attn_factor
        if scaling.kind == "linear":
            frequencies = frequencies / scaling.factor
        elif scaling.kind == "yarn":
            frequencies = _yarn(frequencies, width, base, scaling)
            self.amplitude *= 1.0 + 0.1 * log(scaling.factor) if scaling.factor > 1 else 1.0
        self.frequencies = frequencies.to(device)
        self._table = self(torch.arange(0, device=device))

    def __call__(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """positions [N] -> cos, sin, each [N, width / 2] float32."""
        angles = positions.to(torch.float64).unsqueeze(1) * self.frequencies
        return (angles.cos() * self.amplitude).float(), (angles.sin() * self.amplitude).float()

    def table(self, n: int) -> tuple[Tensor, Tensor]:
        """cos and sin of the positions 0, 1, ... up to n - 1 or more, each [.., width / 2] float32; made once."""
        if n > len(self._table[0]):
            self._table = self(torch.arange(max(n, 2 * len(self._table[0])), device=self.frequencies.device))
        return self._table


def _yarn(frequencies: Tensor, width: int, base: float, scaling: Scaling) -> Tensor:
    """Fast pairs keep their frequency, slow ones are divided by the factor, a ramp lies between (Peng et al. 2023)."""

    def turns(beta: float) -> float:
        return width * log(scaling.original_context / (2 * pi * beta)) / (2 * log(base))

    low = max(0, floor(turns(scaling.beta_fast)))
    high = min(width - 1, ceil(turns(scaling.beta_slow)))
    pairs = torch.arange(width // 2, dtype=torch.float64)
    keep = 1.0 - ((pairs - low) / max(0.001, high - low)).clamp(0, 1)
    return frequencies / scaling.factor * (1 - keep) + frequencies * keep
