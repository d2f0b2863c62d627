"""Qwen1.5 and Qwen2 with experts (spec/models.md 2, rank 17): beside them a gated part that every row uses."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Mixture
from ..network.keys import Keys


class Model(Decoder):
    """Attention is Qwen2's; its biases are found in the file."""

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Mixture:
        """Weights of the chosen are those of the softmax over all."""
        shared = keys.meta.int("expert_shared_feed_forward_length", default=0) or keys.widths[i]
        width = keys.expert_width(i, divided=True)
        return Mixture(keys.n_expert, width, keys.routing(normalize=False), shared=shared, shared_gate=True)
