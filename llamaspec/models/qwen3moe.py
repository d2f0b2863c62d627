"""Qwen3 with experts: 30B-A3B, 235B-A22B, Coder (spec/models.md 2, rank 5)."""

from ..network.hparams import Mixture
from ..network.keys import Keys
from .qwen3 import Model as Qwen3


class Model(Qwen3):
    """Qwen3 whose feed-forward parts are all mixtures."""

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Mixture:
        """Weights are a softmax over all experts, and those of the chosen sum to 1."""
        return Mixture(keys.n_expert, keys.expert_width(i, divided=True), keys.routing())
