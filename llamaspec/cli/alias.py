"""`llamaspec alias`: shell aliases for llama.cpp's program names."""

import shlex
import sys

from ..options.groups import Groups
from . import terminal

NAMES = {"llama-cli": "run", "llama-completion": "run", "llama-server": "server"}


def alias(groups: Groups) -> int:
    """Prints alias lines for the shell's start-up file: `llamaspec alias >> ~/.bashrc`."""
    program = sys.argv[0] if sys.argv[0].endswith("llamaspec") else "llamaspec"
    lines = [f"alias {name}={shlex.quote(f'{shlex.quote(program)} {verb}')}" for name, verb in NAMES.items()]
    terminal.answer("\n".join(lines) + "\n")
    return 0
