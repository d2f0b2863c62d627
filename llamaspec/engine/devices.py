"""Which device a model goes to."""

import os
from collections.abc import Sequence

import torch

from ..errors import LlamaspecError, UsageError


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


def known() -> list[str]:
    """The devices of this machine, as -dev wants them."""
    gpus = [f"CUDA{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*gpus, "CPU"]


def resolve(names: Sequence[str], gpu_layers: int | str) -> torch.device:
    """The device for -dev and -ngl. No name: the first GPU, if there is one and -ngl is not 0.

    Raises UsageError for names that this machine does not have, with those it has.
    """
    if not names:
        gpu = torch.cuda.is_available() and gpu_layers != 0
        return torch.device("cuda", 0) if gpu else torch.device("cpu")
    if len(names) > 1:
        raise LlamaspecError("splitting a model over devices is not built yet", hint=f"-dev {names[0]}")
    name = names[0].lower()
    if name in ("none", "cpu") or gpu_layers == 0:
        return torch.device("cpu")
    number = name.removeprefix("cuda").lstrip(":") or "0"
    if not name.startswith("cuda") or not number.isdecimal():
        raise UsageError(f"no device '{names[0]}'", hint=f"this machine has {', '.join(known())}")
    if not torch.cuda.is_available():
        raise LlamaspecError(f"no CUDA device can be used for '{names[0]}'", hint="install a driver, or use -dev cpu")
    if int(number) >= torch.cuda.device_count():
        raise UsageError(f"no device '{names[0]}'", hint=f"this machine has {', '.join(known())}")
    return torch.device("cuda", int(number))
