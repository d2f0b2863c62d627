"""EXAONE 3 and 3.5."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The standard decoder; divisors of frequencies are found in the file."""
