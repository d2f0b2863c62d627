"""Rotary position embedding and its scalings (spec/models.md 1.2)."""

from dataclasses import dataclass, replace
from math import ceil, floor, log, pi

import numpy as np

from ..errors import LlamaspecError


def _refuse(key: str, value: object) -> LlamaspecError:
    return LlamaspecError(
        f"the model's metadata makes no sense: rope.{key} {value}",
        hint="the file is damaged or was converted wrongly; download it again, or set the key with --override-kv",
    )


@dataclass(frozen=True)
class Scaling:
    """How positions are stretched. kind: "none", "linear", "yarn" or "longrope".

    amplitude: of cos and sin; None: what the kind says. attn_factor multiplies it.
    """

    kind: str = "none"
    factor: float = 1.0
    original_context: int = 0
    attn_factor: float = 1.0
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    amplitude: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("none", "linear", "yarn", "longrope"):
            raise LlamaspecError(
                f"unknown rope scaling type '{self.kind[:40]}'", hint="known: none, linear, yarn, longrope"
            )
        if not 0 < self.factor < 1e6:
            raise _refuse("scaling.factor", self.factor)
        if self.kind == "yarn" and self.original_context < 1:
            raise _refuse("scaling.original_context_length", self.original_context)

    def taken_back(self, multiplier: float) -> "Scaling":
        """YaRN with a logarithmic multiplier: cos and sin grow by the share of it that scores do not have already."""
        if self.kind != "yarn" or self.factor <= 1:
            return self
        grown = 0.1 * log(self.factor)
        return replace(self, amplitude=(1.0 + grown) / (1.0 + multiplier * grown))


@dataclass(frozen=True)
class Rope:
    """A rotation. width: how many values of a head turn. base: of the frequencies.

    interleaved: pairs are (2j, 2j+1), NORM in llama.cpp's words, else (j, j + width / 2), NEOX. divided: the file's
    tensor of frequency divisors applies (Llama 3, LongRoPE). still: pairs that do not turn.
    """

    width: int
    base: float
    interleaved: bool = False
    scaling: Scaling = Scaling()
    divided: bool = True
    still: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.width < 2 or self.width % 2:
            raise _refuse("dimension_count", self.width)
        if not 1 <= self.base < 1e12:
            raise _refuse("freq_base", self.base)

    def frequencies(self, divisors: np.ndarray | None = None) -> np.ndarray:
        """[width / 2] float64: what a position is multiplied by. divisors [width / 2], if the file has some."""
        frequencies = self.base ** (-2.0 * np.arange(self.width // 2) / self.width)
        frequencies[list(self.still)] = 0.0
        if divisors is not None and self.divided:
            frequencies = frequencies / divisors.astype(np.float64)
        if self.scaling.kind == "linear":
            return frequencies / self.scaling.factor
        return self._yarn(frequencies) if self.scaling.kind == "yarn" else frequencies

    @property
    def amplitude(self) -> float:
        """What cos and sin are multiplied by."""
        scaling = self.scaling
        if scaling.amplitude is not None:
            return scaling.amplitude * scaling.attn_factor
        stretched = scaling.kind == "yarn" and scaling.factor > 1
        return scaling.attn_factor * (1.0 + 0.1 * log(scaling.factor) if stretched else 1.0)

    def _yarn(self, frequencies: np.ndarray) -> np.ndarray:
        """Fast pairs keep their frequency, slow ones are divided, a ramp lies between (Peng et al. 2023)."""
        scaling = self.scaling

        def turns(beta: float) -> float:
            return self.width * log(scaling.original_context / (2 * pi * beta)) / (2 * log(self.base))

        low = max(0, floor(turns(scaling.beta_fast)))
        high = min(self.width - 1, ceil(turns(scaling.beta_slow)))
        keep = 1.0 - ((np.arange(self.width // 2) - low) / max(0.001, high - low)).clip(0, 1)
        return frequencies / scaling.factor * (1 - keep) + frequencies * keep
