"""What will be done: options and file facts in, decisions with their reasons out. Nothing is allocated here."""

from dataclasses import dataclass, field
from math import prod

from ..errors import LlamaspecError
from ..kernels import kv_types
from ..kernels.device import Device
from ..kernels.dispatch import kernels_for
from ..kernels.kv_types import KVType
from ..kernels.protocol import Kernels
from ..network.decoder import Model
from ..network.hparams import HParams
from ..network.stores import store_bytes
from ..weights.file import GGUFFile
from ..weights.metadata import Metadata
from .devices import free_bytes, resolve, what_to_lower

LONGEST_UNASKED = 8192
"""Context without -c: the model's own, up to this."""
SHARE = 0.8
"""Of the free memory, what weights and cache may take together."""


@dataclass(frozen=True)
class ModelRequest:
    """What the options say of one model; 0 and "auto" leave it to the plan. cache_types: of keys and of values.

    prompt_rows: most rows of a pass that reads a prompt.
    """

    path: str
    devices: tuple[str, ...] = ()
    gpu_layers: int | str = "auto"
    n_ctx: int = 0
    cache_types: tuple[str, str] = ("auto", "auto")
    backend: str = "auto"
    threads: int = -1
    slots: int = 1
    prompt_rows: int = 0


@dataclass(frozen=True)
class ModelPlan:
    """Where one model goes and how. resident: its weights stay unpacked in memory. why: a line per decision."""

    file: GGUFFile
    hparams: HParams
    device: Device
    backend: str
    threads: int
    resident: bool
    n_ctx: int
    cache_types: tuple[KVType, KVType]
    slots: int
    prompt_rows: int
    why: tuple[str, ...] = field(default=())


def plan(file: GGUFFile, metadata: Metadata, architecture: type[Model], wish: ModelRequest) -> ModelPlan:
    """Decide, from arithmetic alone. metadata: the file's, perhaps with overrides.

    Raises LlamaspecError when it cannot fit, naming what to lower.
    """
    hparams = architecture.read(metadata, _n_vocab(file))
    device = resolve(wish.devices, wish.gpu_layers)
    _check_layers(device, wish.gpu_layers, hparams.n_layer)
    n_ctx, why = _context(wish, hparams)
    kernels = kernels_for(device, wish.backend)
    key_type, value_type = (_cache_type(name, kernels) for name in wish.cache_types)
    stores = [store_bytes(layer.attention, wish.slots, n_ctx, (key_type, value_type)) for layer in hparams.layers]
    free, cache_bytes = free_bytes(device), sum(stores)
    weight_bytes = kernels.resident_bytes(_weights(file))
    resident = not free or weight_bytes + cache_bytes <= SHARE * free
    if free and cache_bytes > SHARE * free:
        raise LlamaspecError(
            f"a context of {n_ctx} tokens needs a cache of {_gib(cache_bytes)}, {_gib(free)} are free",
            hint="lower -c, --ctx-size",
        )
    if not resident and not kernels.unpacks:
        raise LlamaspecError(
            f"the weights need {_gib(weight_bytes)} and the cache {_gib(cache_bytes)}, {_gib(free)} are free",
            hint=what_to_lower(device),
        )
    if not resident:
        why += (f"weights are unpacked at every use: all at once need {_gib(weight_bytes)}, {_gib(free)} are free",)
    return ModelPlan(
        file, hparams, device, wish.backend, wish.threads, resident, n_ctx, (key_type, value_type), wish.slots,
        wish.prompt_rows, why,
    )  # fmt: skip


def _weights(file: GGUFFile) -> dict[str, tuple[str, int, int]]:
    """Name -> type, values and bytes of every tensor."""
    return {name: (info.type, prod(info.shape), info.n_bytes) for name, info in file.tensors.items()}


def _check_layers(device: Device, asked: int | str, n_layer: int) -> None:
    """-ngl with some of the layers: all or none can be placed today."""
    if not device.is_host and isinstance(asked, int) and 0 < asked < n_layer:
        raise LlamaspecError(
            f"-ngl {asked}: the model has {n_layer} layers, splitting them between GPU and CPU is not supported yet",
            hint="-ngl all places them on the GPU, -ngl 0 on the CPU",
        )


def _n_vocab(file: GGUFFile) -> int:
    info = file.info("token_embd.weight")
    if len(info.shape) != 2:
        raise LlamaspecError(
            f"{file.path}: tensor token_embd.weight has shape {list(info.shape)}, expected two dimensions",
            hint="the file is damaged or was converted wrongly",
        )
    return info.shape[0]


def _context(wish: ModelRequest, hparams: HParams) -> tuple[int, tuple[str, ...]]:
    if wish.n_ctx:
        return wish.n_ctx, ()
    if hparams.n_ctx_train <= LONGEST_UNASKED:
        return hparams.n_ctx_train, ()
    return LONGEST_UNASKED, (f"context of {LONGEST_UNASKED} tokens, the model knows {hparams.n_ctx_train}: see -c",)


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"


def _cache_type(name: str, kernels: Kernels) -> KVType:
    return kernels.cache_type if name == "auto" else kv_types.named(name)
