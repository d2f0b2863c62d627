"""What CUDA graphs do, without CUDA: a recording writes to the same tensors again, and warming up runs the function."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from llamaspec.network.decoder import Output


class Eager:
    """Repeats a function; its results overwrite those of the recording. Keeps count of both."""

    def __init__(self) -> None:
        self.recorded = self.replayed = 0

    def record(self, run: Callable[[], Any], state: Sequence[Tensor]) -> tuple[Callable[[], None], Any]:
        """Runs twice, puts the state back, and gives results that are poisoned until the first replay."""
        before = [tensor.clone() for tensor in state]
        run()
        results = run()
        for tensor, held in zip(state, before, strict=True):
            tensor.copy_(held)
        self.recorded += 1
        for tensor in tensors(results):
            tensor.fill_(torch.nan if tensor.is_floating_point() else -(2**40))

        def replay() -> None:
            self.replayed += 1
            for to, fresh in zip(tensors(results), tensors(run()), strict=True):
                to.copy_(fresh)

        return replay, results


def tensors(results: Any) -> list[Tensor]:
    """All tensors of an Output, or of nested tuples; there may be nothing else."""
    if isinstance(results, Output):
        results = (results.logits, dict(results.features))
    leaves = [] if results is None else tree_flatten(results)[0]
    assert all(isinstance(leaf, Tensor) for leaf in leaves)
    return leaves
