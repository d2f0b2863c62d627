"""The compiled library: found beside this file, loaded once, its functions given their C types."""

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_float, c_int, c_int32, c_int64, c_void_p
from functools import cache
from pathlib import Path

from ...errors import LlamaspecError

VERSION = 6
"""Of the C interface (api.h)."""


class Product(Structure):
    """One of several products of the same x (matmul.h)."""

    _fields_ = (
        *(("w", c_void_p), ("y", c_void_p), ("ldy", c_int64), ("bias", c_void_p), ("residual", c_void_p)),
        *(("ld_residual", c_int64), ("matrix", c_int64)),
    )


class Attention(Structure):
    """One call of attention (calls.h)."""

    _fields_ = (
        *((name, c_void_p) for name in ("q", "k", "v", "out", "sinks", "positions", "slots", "lengths", "paths")),
        *((name, c_int64) for name in ("path_width", "rows", "heads", "kv_heads", "width", "value_width", "cells")),
        *((name, c_int64) for name in ("k_slot", "k_head", "k_cell", "v_slot", "v_head", "v_cell")),
        *((name, c_int64) for name in ("q_row", "out_row", "window")),
        ("scale", c_float),
        ("softcap", c_float),
        ("k_type", c_int32),
        ("v_type", c_int32),
    )


class BlockWeights(Structure):
    """One decoder block (block.h)."""

    _fields_ = (
        *((name, c_void_p) for name in ("attn_norm", "ffn_norm", "q_norm", "k_norm")),
        *((name, c_void_p) for name in ("q", "k", "v", "output", "gate", "up", "down")),
        *((f"{name}_bias", c_void_p) for name in ("q", "k", "v", "output", "gate", "up", "down")),
        *((name, c_int64) for name in ("heads", "kv_heads", "key_width", "value_width")),
        ("eps", c_float),
        ("scale", c_float),
    )


class BlockCache(Structure):
    """Keys and values of one block (block.h)."""

    _fields_ = (
        *((name, c_void_p) for name in ("k", "v")),
        *((name, c_int64) for name in ("k_slot", "k_head", "k_cell", "v_slot", "v_head", "v_cell")),
    )


class ModelEnds(Structure):
    """What stands before and behind the blocks (block.h)."""

    _fields_ = (
        ("embedding", c_void_p),
        ("vocabulary", c_int64),
        *((name, c_void_p) for name in ("norm", "head", "head_bias")),
        ("embedding_type", c_int32),
        ("eps", c_float),
    )


class BlockPass(Structure):
    """What all blocks of a pass share (block.h)."""

    _fields_ = (
        *((name, c_void_p) for name in ("x", "y", "scratch")),
        *((name, c_int64) for name in ("rows", "width")),
        *((name, c_void_p) for name in ("cos", "sin")),
        *((name, c_int64) for name in ("half", "angles")),
        *((name, c_void_p) for name in ("write_slots", "write_cells", "positions", "slots", "lengths", "paths")),
        *((name, c_int64) for name in ("path_width", "cache_slots", "cache_cells")),
        *((name, c_int32) for name in ("k_type", "v_type", "interleaved", "threads")),
    )


P, L, N, F = c_void_p, c_int64, c_int, c_float
_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "cores": (N, ()),
    "isa": (c_char_p, ()),
    "use": (N, (c_char_p,)),
    "row_bytes": (L, (N, L)),
    "arena_new": (P, ()),
    "arena_release": (None, (P,)),
    "arena_reserved": (L, (P,)),
    "pack": (P, (P, N, P, L, L, L, N)),
    "codebook_bytes": (L, (N,)),
    "codebook": (None, (N, P)),
    "release": (None, (P,)),
    "packed_bytes": (L, (P,)),
    "packed_data": (P, (P,)),
    "rows": (None, (N, P, L, P, L, P)),
    "drop_pages": (None, (P, L)),
    "matmul": (N, (P, P, L, P, N)),
    "run": (N, (P, L, P)),
    "products": (N, (POINTER(Product), N, P, L, L, N)),
    "rms_norm": (None, (P, P, P, L, L, F, N)),
    "rotate": (None, (P, P, L, L, L, P, P, L, N, N)),
    "silu_mul": (None, (P, P, P, L, N)),
    "add": (None, (P, P, P, L, N)),
    "store": (None, (P, P, P, P, L, L, L, L, L, L, N)),
    "read": (F, (P, L, N)),
    "attend": (N, (POINTER(Attention), N)),
    "blocks_scratch": (L, (POINTER(BlockWeights), N, L, L)),
    "model": (N, (POINTER(ModelEnds), POINTER(BlockWeights), POINTER(BlockCache), N, POINTER(BlockPass), P, P)),
    "blocks": (N, (POINTER(BlockWeights), POINTER(BlockCache), N, POINTER(BlockPass))),
}


class Library:
    """The functions of api.h, without their prefix."""

    def __init__(self, path: Path) -> None:
        handle = ctypes.CDLL(str(path))
        version = handle.llamaspec_version()
        if version != VERSION:
            raise OSError(f"{path.name} has version {version} of the interface, {VERSION} is needed")
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(handle, f"llamaspec_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> "ctypes._NamedFuncPointer":
        raise AttributeError(name)


@cache
def load() -> tuple[Library | None, str]:
    """The library, or None and the reason why it is not there."""
    here = Path(__file__).parent
    found = sorted(path for suffix in ("so", "pyd", "dylib") for path in here.glob(f"_native*.{suffix}"))
    if not found:
        return None, "the native kernels were not built when llamaspec was installed (no C++17 compiler?)"
    why = ""
    for path in found:
        try:
            return Library(path), ""
        except (OSError, AttributeError) as error:
            why = f"the native kernels do not load: {error}"
    return None, why


def library() -> Library:
    """The library; raises LlamaspecError if it is not there."""
    loaded, why = load()
    if loaded is None:
        raise LlamaspecError(why, hint="install llamaspec again with a C++17 compiler, or use --kernels reference")
    return loaded
