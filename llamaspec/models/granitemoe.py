"""Granite with experts (spec/models.md 2, rank 16)."""

from ..network.keys import Keys
from .granite import Model as Granite


class Model(Granite):
    """llama.cpp turns whatever rope.scaling.finetuned says, and so do we."""

    @classmethod
    def turns(cls, keys: Keys) -> bool:
        """Always."""
        return True
