"""Granite with sliding layers: sinks in all of them, rotations where the file says so."""

from dataclasses import replace

from ..network.hparams import Attention, Heads
from ..network.keys import Keys
from .granite import Model as Granite


class Model(Granite):
    """Granite's scales."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Attention:
        """Sliding or full."""
        h, window = super().attention(keys, i), keys.meta.int("attention.sliding_window")
        assert isinstance(h, Heads)
        turns = keys.meta.bools("attention.rope_pattern", keys.blocks, (True,) * keys.blocks)[i]
        own = replace(h, sinks=True, rope=h.rope if turns else None)
        return replace(own, window=window) if keys.sliding(0)[i] else own

    @classmethod
    def turns(cls, keys: Keys) -> bool:
        """A pattern says it for each layer."""
        return True
