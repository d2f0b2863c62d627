"""Qwen3.5 with experts (spec/models.md 2.3): delta nets, gated attention, a gated part beside the experts."""

from ..network.hparams import FeedForward, Mixture
from ..network.keys import Keys
from .qwen35 import Model as Qwen35


class Model(Qwen35):
    """Qwen3.5 whose feed-forward parts are all mixtures."""

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> FeedForward:
        """Weights of the chosen sum to 1."""
        shared = keys.meta.int("expert_shared_feed_forward_length", default=0) or keys.widths[i]
        width = keys.expert_width(i, divided=True)
        return Mixture(keys.n_expert, width, keys.routing(), shared=shared, shared_gate=True)
