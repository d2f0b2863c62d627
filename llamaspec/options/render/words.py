"""What a shell's completion offers behind a flag: files, devices, or one of some words."""

from collections.abc import Iterable

from ..commands import COMMANDS, RUN, Command
from ..flag import Flag

GGUF = ("model", "model_draft")
DEVICES = ("DEV1,DEV2,...", "DEV1,...")
FILES = ("FNAME", "FILE", "PATH")


def is_model(flag: Flag) -> bool:
    """Whether its value is a GGUF file."""
    return flag.key in GGUF


def is_device(flag: Flag) -> bool:
    """Whether its value is a list of devices."""
    return bool(flag.metavars) and flag.metavars[0] in DEVICES


def is_file(flag: Flag) -> bool:
    """Whether its value is a file name."""
    return bool(flag.metavars) and flag.metavars[0] in FILES and not is_model(flag)


def is_list(flag: Flag) -> bool:
    """Whether its value is several words between commas."""
    return bool(flag.metavars) and flag.metavars[0].endswith(",...")


def names(flags: Iterable[Flag]) -> list[str]:
    """Every spelling of some flags."""
    return [name for flag in flags for name in flag.names]


def others() -> list[Command]:
    """The commands whose flags are not those of run."""
    return [command for command in COMMANDS if command.flags != RUN.flags]
