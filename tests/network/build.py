"""A model from a file, without the engine: what parity and invariance tests need."""

from functools import cache
from pathlib import Path

from llamaspec import shelf
from llamaspec.kernels.device import HOST
from llamaspec.kernels.dispatch import kernels_for
from llamaspec.kernels.kv_types import KVType
from llamaspec.network.hparams import HParams
from llamaspec.network.place import Placement
from llamaspec.network.runner import Runner
from llamaspec.network.weights import Weights
from llamaspec.weights.file import GGUFFile
from tests.goldens import opened


@cache
def read(path: Path) -> HParams:
    """The hyper-parameters of a file."""
    file = opened(path)
    kind = shelf.take("models", file.metadata.architecture).Model
    return kind.read(file.metadata, file.tensors["token_embd.weight"].shape[0])


def runner(
    path: Path,
    n_ctx: int = 256,
    slots: int = 1,
    exact: bool = True,
    backend: str = "reference",
    threads: int | None = None,
    kv_type: KVType | None = None,
) -> Runner:
    """A model on the CPU with an empty cache. threads: of the native back end. kv_type: None = its own choice."""
    device = HOST
    file = GGUFFile(path)
    hparams = read(path)
    placement = Placement.everything(device, kernels_for(device, backend, threads=threads))
    weights = Weights(file, placement, hparams.eps)
    model = shelf.take("models", hparams.architecture).Model(hparams, weights, n_ctx)
    return Runner(model, model.new_cache(slots, n_ctx, kv_type), exact)
