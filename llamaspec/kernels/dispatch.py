"""The choice of a back end for a device."""

from importlib.util import find_spec

from ..errors import LlamaspecError, UsageError
from .device import Device
from .protocol import Kernels

BACKENDS = ("auto", "reference", "native")
INSTALL_TORCH = "pip install torch"


def has_torch() -> bool:
    """Whether PyTorch is installed; it is not imported."""
    return find_spec("torch") is not None


def need_torch(what: str) -> None:
    """Raises LlamaspecError if PyTorch is not installed. what: the subject of "... needs PyTorch"."""
    if not has_torch():
        raise LlamaspecError(f"{what} needs PyTorch, which is not installed", hint=INSTALL_TORCH)


def kernels_for(device: Device, backend: str = "auto", resident: bool = True, threads: int | None = None) -> Kernels:
    """Native on a CPU where it was built, else the reference.

    resident: keep unpacked weights, if the back end unpacks them at all. threads: of the native back end, None = one
    per core. Raises UsageError for an unknown name and LlamaspecError if the one asked for cannot run here.
    """
    if backend not in BACKENDS:
        raise UsageError(f"no back end '{backend}'", hint=f"one of {', '.join(BACKENDS)}")
    why = "they run on the CPU only"
    if device.is_host and backend != "reference":
        from . import native

        if native.available():
            from .native.kernels import Native

            return Native(threads)
        why = native.why_not()
    if backend == "native":
        raise LlamaspecError(f"the native kernels cannot be used: {why}", hint="use --kernels reference")
    need_torch("--kernels reference" if backend == "reference" else f"{device} without native kernels ({why})")
    from .reference import Reference

    return Reference(device, resident, threads)
