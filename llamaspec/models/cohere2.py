"""Command R7B and A (spec/models.md 2, rank 21): Command-R with three sliding layers for each full one."""

from dataclasses import replace

from ..network.hparams import Heads
from ..network.keys import Keys
from .command_r import Model as CommandR


class Model(CommandR):
    """Only sliding layers tell positions apart."""

    @classmethod
    def attention(cls, keys: Keys, i: int) -> Heads:
        """A window and a rotation, or neither."""
        full = cls.grouped(keys, i)
        if not keys.sliding(4)[i]:
            return replace(full, rope=None)
        return replace(full, window=keys.meta.int("attention.sliding_window"))
