"""What will be done: options and file facts in, decisions with their reasons out. Nothing is allocated here."""

from dataclasses import dataclass, field
from math import prod

import torch

from ..errors import LlamaspecError, UsageError
from ..kernels.dispatch import kernels_for
from ..kernels.held import Q8_0, row_bytes
from ..network.hparams import HParams
from ..weights.file import GGUFFile
from ..weights.metadata import Metadata
from .devices import free_bytes, resolve

LONGEST_UNASKED = 8192
"""Context without -c: the model's own, up to this."""
SHARE = 0.8
"""Of the free memory, what weights and cache may take together."""
CACHE_TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "q8_0": Q8_0}


@dataclass(frozen=True)
class ModelRequest:
    """What the options say of one model; 0 and "auto" leave it to the plan. cache_types: of keys and of values."""

    path: str
    devices: tuple[str, ...] = ()
    gpu_layers: int | str = "auto"
    n_ctx: int = 0
    cache_types: tuple[str, str] = ("auto", "auto")
    backend: str = "auto"
    threads: int = -1
    slots: int = 1


@dataclass(frozen=True)
class ModelPlan:
    """Where one model goes and how. resident: its weights stay unpacked in memory. why: a line per decision."""

    file: GGUFFile
    hparams: HParams
    device: torch.device
    backend: str
    threads: int
    resident: bool
    n_ctx: int
    cache_types: tuple[torch.dtype, torch.dtype]
    slots: int
    why: tuple[str, ...] = field(default=())


def plan(file: GGUFFile, metadata: Metadata, wish: ModelRequest) -> ModelPlan:
    """Decide, from arithmetic alone. metadata: the file's, perhaps with overrides.

    Raises LlamaspecError when it cannot fit, naming what to lower.
    """
    hparams = HParams.read(metadata, _n_vocab(file))
    device = resolve(wish.devices, wish.gpu_layers)
    n_ctx, why = _context(wish, hparams)
    kernels = kernels_for(device, wish.backend)
    key_type, value_type = (_cache_type(name, kernels.cache_type) for name in wish.cache_types)
    values = sum(prod(info.shape) for info in file.tensors.values())
    width = 4 if device.type == "cpu" else 2
    cache_bytes = (
        wish.slots * n_ctx * hparams.n_layer * hparams.n_head_kv
        * (row_bytes(hparams.head_k, key_type) + row_bytes(hparams.head_v, value_type))
    )  # fmt: skip
    free = free_bytes(device)
    resident = not free or values * width + cache_bytes <= SHARE * free
    if free and cache_bytes > SHARE * free:
        raise LlamaspecError(
            f"a context of {n_ctx} tokens needs a cache of {_gib(cache_bytes)}, {_gib(free)} are free",
            hint="lower -c, --ctx-size",
        )
    if not resident and kernels.name == "reference":
        why += (f"weights are unpacked at every use: all at once need {_gib(values * width)}, {_gib(free)} are free",)
    return ModelPlan(
        file, hparams, device, wish.backend, wish.threads, resident, n_ctx, (key_type, value_type), wish.slots, why
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


def _cache_type(name: str, unasked: torch.dtype) -> torch.dtype:
    if name == "auto":
        return unasked
    if name not in CACHE_TYPES:
        raise UsageError(f"cache type {name} is not built yet", hint=f"one of auto, {', '.join(CACHE_TYPES)}")
    return CACHE_TYPES[name]
