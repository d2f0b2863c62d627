"""Ling and Ring 1 (BailingMoE): experts only, beside a part that every row uses."""

from ..network.decoder import Model as Decoder
from ..network.hparams import Mixture
from ..network.keys import Keys


class Model(Decoder):
    """The standard decoder; query and key weights are stored for interleaved rotation."""

    interleaved = True

    @classmethod
    def feed_forward(cls, keys: Keys, i: int) -> Mixture:
        """The file says whether weights of the chosen sum to 1."""
        routing = keys.routing(normalize=False)
        return Mixture(keys.n_expert, keys.expert_width(i), routing, shared=keys.shared_width(i))
