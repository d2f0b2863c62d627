"""The codebooks of the IQ1, IQ2 and IQ3 types: those of the `gguf` package."""

import numpy as np


def codebook(name: str) -> np.ndarray:
    """The entries of the codebook of a type such as "IQ2_S": [256 to 2048, 4 or 8] float32."""
    from gguf import quants  # a slow import, needed by few files

    kind = getattr(quants, name)
    kind.init_grid()
    return kind.grid.reshape(kind.grid_shape)
