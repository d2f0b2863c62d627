"""The name of a device, without the library that drives it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """type: "cpu" or "cuda". index: which of several. Written as torch writes it: "cuda:0"."""

    type: str = "cpu"
    index: int = 0

    @property
    def is_host(self) -> bool:
        """Whether its memory is the host's, so that results are numpy arrays (llamaspec.arrays)."""
        return self.type == "cpu"

    def __str__(self) -> str:
        return f"{self.type}:{self.index}" if self.type == "cuda" else self.type


HOST = Device()
