"""How torch computes while an answer is made."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..network.decoder import Model


@contextmanager
def computing(model: Model) -> Iterator[None]:
    """Without gradients, and on one torch thread beside the native kernels.

    Those have threads of their own. What is left to torch is small, and its threads spin: with another process on one
    of two cores a sampled answer of the demo pair fell from 705 to 104 tokens per second.
    """
    threads = torch.get_num_threads() if model.kernels.own_threads else 1
    if threads > 1:
        torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        if threads > 1:
            torch.set_num_threads(threads)
