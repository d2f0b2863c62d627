"""GPT-NeoX and Pythia: layer norms and biases, no gate, part of a head turns, blocks mostly parallel."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import HParams
from ..weights.metadata import Metadata


class Model(Decoder):
    """In a parallel block each part has a norm of its own."""

    norm = "layer"
    activation = "gelu"
    gated = False

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """Whether blocks are parallel, the file says."""
        return replace(super().read(meta, n_vocab), parallel=meta.bool("use_parallel_residual"))
