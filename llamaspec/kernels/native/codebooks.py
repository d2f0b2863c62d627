"""The codebooks of the IQ1, IQ2 and IQ3 types, for the compiled library (quants/codebook.h)."""

from functools import cache

import numpy as np

from ..codebooks import codebook
from .library import library


@cache
def hand_over(type_name: str, number: int) -> None:
    """Called before a matrix of a type is packed: the library gets the ranks of the entries, if there is a codebook."""
    if size := library().codebook_bytes(number):
        ranks = np.unique(codebook(type_name), return_inverse=True)[1].astype(np.uint8)
        assert ranks.size == size, type_name
        library().codebook(number, np.ascontiguousarray(ranks).ctypes.data)
