"""A model from a file, without the engine: what parity and invariance tests need."""

from pathlib import Path

import torch

from llamaspec import shelf
from llamaspec.kernels.dispatch import kernels_for
from llamaspec.network.hparams import HParams
from llamaspec.network.runner import Runner
from llamaspec.network.weights import Weights
from llamaspec.weights.file import GGUFFile


def passes(
    path: Path,
    n_ctx: int = 256,
    slots: int = 1,
    exact: bool = True,
    backend: str = "reference",
    threads: int | None = None,
    held: torch.dtype | None = None,
) -> Runner:
    """A model on the CPU with an empty cache. threads: of the native back end. held: None = the back end's choice."""
    device = torch.device("cpu")
    file = GGUFFile(path)
    hparams = HParams.read(file.metadata, file.tensors["token_embd.weight"].shape[0])
    weights = Weights(file, kernels_for(device, backend, threads=threads), device, hparams.eps)
    model = shelf.take("models", hparams.architecture).Model(hparams, weights, n_ctx)
    return Runner(model, model.new_cache(slots, n_ctx, held), exact)
