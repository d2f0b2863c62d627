"""MiniCPM: Granite's scales under other defaults."""

from ..network.hparams import HParams
from ..network.keys import Keys
from ..weights.metadata import Metadata
from .granite import Model as Granite


class Model(Granite):
    """Older files have no scales."""

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """As Granite."""
        keys = Keys(meta)
        usual = {"embedding": 12.0, "residual": 1.4 / keys.n_layer**0.5, "logit": 256.0 / keys.n_embd}
        missing = [(f"{meta.architecture}.{name}_scale", value) for name, value in usual.items()]
        missing = [(key, value) for key, value in missing if key not in meta]
        return super().read(meta.with_overrides(missing), n_vocab)

    @classmethod
    def turns(cls, keys: Keys) -> bool:
        """Always."""
        return True
