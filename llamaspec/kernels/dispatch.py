"""The choice of a back end for a device."""

from ..errors import LlamaspecError, UsageError
from .device import Device
from .protocol import Kernels

BACKENDS = ("auto", "reference", "native")


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
    from .reference import Reference

    return Reference(device, resident, threads)
