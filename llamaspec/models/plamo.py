"""PLaMo 13B: parallel blocks of the standard parts."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """Both parts read the same normalised rows."""

    parallel = True
    ffn_norm = ""
