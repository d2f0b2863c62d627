"""The compiled library: found beside this file, loaded once, its functions given their C types."""

import ctypes
from ctypes import c_char_p, c_float, c_int, c_int64, c_void_p
from functools import cache
from pathlib import Path

from ...errors import LlamaspecError

VERSION = 7
"""Of the C interface (api.h)."""


P, L, N, F = c_void_p, c_int64, c_int, c_float
_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "cores": (N, ()),
    "isa": (c_char_p, ()),
    "use": (N, (c_char_p,)),
    "row_bytes": (L, (N, L)),
    "arena_new": (P, ()),
    "arena_release": (None, (P,)),
    "arena_reserved": (L, (P,)),
    "pack": (P, (P, N, P, L, L, L, N, N)),
    "codebook_bytes": (L, (N,)),
    "codebook": (None, (N, P)),
    "release": (None, (P,)),
    "packed_bytes": (L, (P,)),
    "packed_data": (P, (P,)),
    "rows": (None, (N, P, L, P, L, P)),
    "matmul": (N, (P, P, L, P, N)),
    "run": (N, (P, L, P)),
    "read": (F, (P, L, N)),
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
