"""Adaptive-p: favours tokens near a target probability, which follows the choices so far (llama.cpp 17927)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...arrays import Array, namespace
from ..mass import mass
from ..sampler import Rows

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab

_WIDTH, _PEAK, _SHARPNESS = 0.3, 5.0, 10.0


@dataclass(frozen=True)
class State:
    """Decayed sum of the chosen tokens' probabilities before the transformation, and of the weights 1."""

    probs: float
    weights: float


class Sampler:
    """target: probability from 0 to 1. decay: of the memory, 0 to 0.99 (about 1 / (1 - decay) tokens)."""

    name, letter = "adaptive_p", "a"
    stateless = keeps_best = False
    needs_logits = True

    def __init__(self, target: float, decay: float = 0.9) -> None:
        self.target, self.decay = min(target, 1.0), min(max(decay, 0.0), 0.99)

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None when the target is negative."""
        return cls(params.adaptive_target, params.adaptive_decay) if params.adaptive_target >= 0 else None

    def start(self, prompt: Sequence[int]) -> State:
        """As if the target had been met forever; the prompt does not count."""
        return State(self.target / (1 - self.decay), 1 / (1 - self.decay))

    def advance(self, state: State, token: int, logits: Array | None = None) -> State:
        """The memory with the probability that `token` had in the logits [V] given to `apply`."""
        assert logits is not None
        prob = float(mass(logits[None]).probs[0, token])
        return State(prob + self.decay * state.probs, 1 + self.decay * state.weights)

    def apply(self, logits: Array, rows: Rows, state: State) -> Array:
        """logits [n, V] -> [n, V]: quadratic near the adapted target, linear far from it."""
        aim = min(max(2 * self.target - state.probs / state.weights, 0.0), 1.0)
        away = abs(mass(logits).probs - aim) / _WIDTH
        shaped = _PEAK - _SHARPNESS * away * away / (1 + away)
        xp = namespace(logits)
        return xp.where(xp.isinf(logits), logits, xp.astype(shaped, xp.float32))
