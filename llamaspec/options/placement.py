"""Where the weights live and who does the arithmetic."""

from dataclasses import dataclass
from typing import Literal

from .flag import Status, flag
from .values import integer, layers, listed, optional_integer


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Devices and threads."""

    device: tuple[str, ...] = flag(
        "-dev, --device DEV1,DEV2,...", "devices that may hold the model: cpu, cuda, CUDA0, …; none = cpu",
        common=True, default=(), parse=listed, env="LLAMA_ARG_DEVICE", shown="auto",
    )  # fmt: skip
    gpu_layers: int | Literal["auto", "all"] = flag(
        "-ngl, --gpu-layers, --n-gpu-layers N", "layers to put on the accelerator: a number, auto or all",
        common=True, default="auto", parse=layers, env="LLAMA_ARG_N_GPU_LAYERS",
    )  # fmt: skip
    kernels: str = flag(
        "--kernels NAME", "kernels to use: native (C++, CPU) or reference (torch, any device); auto = the fastest",
        default="auto", choices=("auto", "native", "reference"),
    )  # fmt: skip
    threads: int = flag(
        "-t, --threads N", "CPU threads while generating; -1 or 0 = one per core",
        common=True, default=-1, parse=integer(-1, 4096), env="LLAMA_ARG_THREADS",
    )  # fmt: skip
    threads_batch: int | None = flag(
        "-tb, --threads-batch N", "CPU threads while reading the prompt",
        default=None, parse=optional_integer(-1, 4096), shown="same as --threads", status=Status.LATER,
    )  # fmt: skip
