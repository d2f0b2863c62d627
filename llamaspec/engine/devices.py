"""The devices of this machine: their names, what they hold, and which one a model goes to."""

import os
from collections.abc import Iterator, Sequence
from types import ModuleType

from ..errors import LlamaspecError, UsageError
from ..kernels.device import HOST, Device
from ..kernels.dispatch import INSTALL_TORCH, has_torch

DRIVERS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", r"C:\Windows\System32\nvcuda.dll")
"""Files that NVIDIA's driver brings along; without any of them no PyTorch can use a GPU."""


def available_bytes() -> int:
    """Memory that the operating system says is free, without swapping; 0 if it does not say."""
    try:
        with open("/proc/meminfo") as report:
            for line in report:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 0


def free_bytes(device: Device) -> int:
    """What can still be allocated there; 0 = unknown. Raises LlamaspecError for a GPU that does not answer."""
    if device.is_host:
        return available_bytes()
    try:
        return _torch().cuda.mem_get_info(device.index)[0]
    except RuntimeError as error:  # another process holds it exclusively, or it fell off the bus
        raise _silent(device) from error


def count() -> int:
    """GPUs that can be used."""
    if not _driver() or not has_torch():
        return 0
    torch = _torch()
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _driver() -> bool:
    """Whether NVIDIA's driver is installed: without it torch need not be asked, nor imported."""
    return any(os.path.exists(path) for path in DRIVERS)


def _torch() -> ModuleType:
    """PyTorch, which takes a second to import."""
    import torch

    return torch


def known() -> list[str]:
    """The devices of this machine, as -dev wants them."""
    return [*(f"CUDA{i}" for i in range(count())), "CPU"]


def lines() -> Iterator[str]:
    """One line per device: its name for -dev, what it is, and its memory (--list-devices)."""
    yield "Available devices:"
    for number in range(count()):
        device = Device("cuda", number)
        properties = _torch().cuda.get_device_properties(number)
        total, free = properties.total_memory >> 20, free_bytes(device) >> 20
        yield f"  CUDA{number}: {properties.name} ({total} MiB, {free} MiB free)"
    yield f"  CPU: {os.cpu_count() or 1} cores ({available_bytes() >> 20} MiB free)"
    if not count():
        yield f"no GPU can be used: {why_no_gpu()}" + ("" if has_torch() else f" ({INSTALL_TORCH})")


def why_no_gpu() -> str:
    """What stands between this program and a GPU."""
    if not has_torch():
        return "PyTorch is not installed" if _driver() else "neither PyTorch nor an NVIDIA driver is installed"
    if not _driver():
        return "no NVIDIA driver is installed"
    if _torch().version.cuda is None:
        return f"this PyTorch was built without CUDA; install one that has it ({INSTALL_TORCH})"
    return "no CUDA device answers; install NVIDIA's driver, or look at CUDA_VISIBLE_DEVICES"


def name_of(device: Device) -> str:
    """As -dev wants it."""
    return "CPU" if device.is_host else f"{device.type.upper()}{device.index}"


def what_to_lower(device: Device) -> str:
    """A hint for a model that does not fit."""
    if device.is_host:
        return "lower -c, --ctx-size, or take a smaller file"
    other = next((f"CUDA{i}" for i in range(count()) if i != device.index), "cpu")
    return f"lower -c, --ctx-size, take a smaller file, or choose another device: -dev {other}"


def resolve(names: Sequence[str], gpu_layers: int | str) -> Device:
    """The device for -dev and -ngl. No name: the first GPU, if there is one and -ngl is not 0.

    Raises UsageError for names that this machine does not have, with those it has.
    """
    if len(names) > 1:
        raise LlamaspecError("splitting a model over devices is not supported yet", hint=f"-dev {names[0]}")
    if not names:
        return Device("cuda", 0) if gpu_layers != 0 and count() else HOST
    name = names[0].lower()
    if name in ("none", "cpu"):
        return HOST
    number = name.removeprefix("cuda").lstrip(":") or "0"
    if not name.startswith("cuda") or not number.isdecimal():
        raise UsageError(f"no device '{names[0]}'", hint=f"available devices: {', '.join(known())}")
    if gpu_layers == 0:
        return HOST
    if not count():
        cure = f"available devices: {', '.join(known())}"
        raise UsageError(
            f"no device '{names[0]}': {why_no_gpu()}", hint=cure if has_torch() else f"{INSTALL_TORCH}; {cure}"
        )
    if int(number) >= count():
        raise UsageError(f"no device '{names[0]}'", hint=f"available devices: {', '.join(known())}")
    return Device("cuda", int(number))


def _silent(device: Device) -> LlamaspecError:
    return LlamaspecError(
        f"{name_of(device)} does not answer", hint="another program may hold it; see nvidia-smi, or use -dev cpu"
    )
